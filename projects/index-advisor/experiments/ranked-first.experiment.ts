import { randomFrom } from "@db-katas/grading";
import { defineExperiment } from "@db-katas/measure";
import { extend } from "../src/select/extend.ts";
import { loadWorkload } from "../workloads/index.ts";
import { type Choice, choose, openChoice } from "./choosing.ts";
import { connectTo } from "./database.ts";
import { worthAsking } from "./ranked.ts";

const SEED = 1;
/** Of the workloads' rows: they load in a second, and costs in proportion change little beyond. */
const scale = 0.004;
/** The ranker was trained on neither. */
const names = ["join-heavy", "document"] as const;

export default defineExperiment({
  title: "What choosing asks and gets among all candidates, and among those that the ranker keeps.",
  parameters: {
    statements: { what: "statements of each workload, drawn once", full: 10, quick: 5 },
  },
  engines: Object.fromEntries(
    names.map((name) => [name, { engine: "pgextended", needs: ["hypopg"] }]),
  ),
  contenders: {
    extend: { what: "Extend among all candidates" },
    ranked: { what: "Extend among those that the ranker thinks likely to help" },
  },
  metrics: {
    calls: { what: "the planner was asked", kind: "value", unit: "calls" },
    builds: { what: "indexes built only to ask about them", kind: "value", unit: "indexes" },
    cost: {
      what: "of the workload with the set in proportion to without, the mean of both",
      kind: "value",
      unit: "1",
    },
  },
  // All of it is the planner's arithmetic, which no load changes.
  turns: 5,
  warmUpTurns: 0,
  async open({ leases, parameters: { statements = 1 }, signal }) {
    await using opening = new AsyncDisposableStack();
    const choices: Choice[] = [];
    for (const name of names) {
      const workload = await loadWorkload(name);
      const loading = await connectTo(leases, name);
      try {
        await workload.load(loading, { scale, seed: SEED });
        // Otherwise autovacuum does it at some moment, and plans are others from then on.
        await loading.query("VACUUM ANALYZE");
      } finally {
        await loading.end();
      }
      const url = (await leases[name]?.urlFor("a")) ?? "";
      const all = workload.statements({ scale, seed: SEED });
      const drawn = randomFrom(SEED).shuffle(all).slice(0, statements);
      choices.push(opening.use(await openChoice(url, drawn)));
    }
    const opened = opening.move();
    return {
      async measure(contender, turn) {
        const sum = { calls: 0, builds: 0, cost: 0 };
        for (const choice of choices) {
          const few = contender === "ranked" ? await worthAsking(choice) : undefined;
          const candidates = few?.candidates ?? choice.candidates;
          const chosen = await choose(choice, { select: extend, candidates, signal });
          sum.calls += chosen.calls + (few?.calls ?? 0);
          sum.builds += chosen.builds;
          sum.cost += chosen.cost / choices.length;
        }
        for (const [metric, value] of Object.entries(sum)) turn.record(metric, value);
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  },
});
