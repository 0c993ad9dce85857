import { randomFrom } from "@db-katas/grading";
import { defineExperiment } from "@db-katas/measure";
import { schemas } from "../ranker/schemas/index.ts";
import { extend } from "../src/select/extend.ts";
import { choose, openChoice } from "./choosing.ts";
import { connectTo, oneDatabase } from "./database.ts";
import { dta } from "./dta.ts";

const SEED = 20_261_122;
/** Of the schemas' rows: calls don't depend on them, and loading does. */
const SCALE = 0.1;

export default defineExperiment({
  title: "How often ways to choose a set ask the planner for so many different statements.",
  parameters: { statements: { what: "statements, each of another template", full: 20, quick: 8 } },
  engines: oneDatabase,
  contenders: {
    extend: { what: "Extend" },
    dta: { what: "each statement's best, then greedily from the best pair on" },
  },
  metrics: {
    calls: { what: "the planner was asked", kind: "value", unit: "calls" },
    cost: {
      what: "of the workload with the set in proportion to without, by the planner",
      kind: "value",
      unit: "1",
    },
    candidates: { what: "indexes to choose from", kind: "value", unit: "indexes" },
  },
  // Counts don't vary with what else the machine does.
  turns: 5,
  warmUpTurns: 0,
  async open({ leases, parameters: { statements = 1 }, signal }) {
    const random = randomFrom(SEED);
    const loading = await connectTo(leases);
    try {
      await loading.query("CREATE EXTENSION IF NOT EXISTS pg_trgm");
      for (const { setup, rows } of schemas) {
        for (const sql of setup(Math.round(rows * SCALE))) await loading.query(sql);
      }
      await loading.query("VACUUM ANALYZE");
    } finally {
      await loading.end();
    }
    const templates = random.shuffle(schemas.flatMap((schema) => schema.templates));
    const choice = await openChoice(
      (await leases.database?.urlFor("a")) ?? "",
      templates.slice(0, statements).map(({ sql }) => ({ sql: sql(random), calls: 1 })),
    );
    return {
      async measure(contender, turn) {
        const select = contender === "dta" ? dta : extend;
        turn.record("candidates", choice.candidates.length);
        const { calls, cost } = await choose(choice, { select, signal });
        turn.record("calls", calls);
        turn.record("cost", cost);
      },
      [Symbol.asyncDispose]: () => choice[Symbol.asyncDispose](),
    };
  },
});
