import { randomFrom } from "@db-katas/grading";
import { defineExperiment } from "@db-katas/measure";
import { shop } from "../ranker/schemas/shop.ts";
import { Builds } from "../src/whatif/builds.ts";
import { openWhatIf } from "../src/whatif/index.ts";
import { openChoice } from "./choosing.ts";
import { connectTo, oneDatabase } from "./database.ts";

/** Statements whose candidates are asked about, one candidate at a time. */
const STATEMENTS = 10;
const SEED = 20_261_122;

export default defineExperiment({
  title: "What it takes to learn what the planner thinks of one index.",
  parameters: { rows: { what: "rows of the biggest table", full: 90_000, quick: 60_000 } },
  engines: oneDatabase,
  contenders: {
    pretended: { what: "HypoPG" },
    built: { what: "a real index, the same advisor without HypoPG" },
  },
  metrics: { asked: { what: "about one index", kind: "latency", unit: "ms" } },
  async open({ leases, parameters: { rows = 1 } }) {
    const loading = await connectTo(leases);
    try {
      for (const sql of shop.setup(rows)) await loading.query(sql);
      await loading.query("VACUUM ANALYZE");
    } finally {
      await loading.end();
    }
    const random = randomFrom(SEED);
    const statements = shop.templates.slice(0, STATEMENTS).map(({ sql }) => ({
      sql: sql(random),
      calls: 1,
    }));
    const choice = await openChoice((await leases.database?.urlFor("a")) ?? "", statements);
    const asked = choice.queries.flatMap((query) =>
      choice.candidates
        .filter(
          ({ statements, hypothetical }) => hypothetical && statements.includes(query.statement),
        )
        .slice(0, 1)
        .map((candidate) => ({ query, candidate })),
    );
    return {
      async measure(contender, turn) {
        const kind = contender === "built" ? "real builds" : "hypopg";
        for (const { query, candidate } of asked) {
          const builds = new Builds(choice);
          await using whatIf = await openWhatIf(choice, builds, kind);
          const began = performance.now();
          await whatIf.costs([query], [candidate]);
          turn.record("asked", performance.now() - began);
          await builds.drop();
        }
      },
      [Symbol.asyncDispose]: () => choice[Symbol.asyncDispose](),
    };
  },
});
