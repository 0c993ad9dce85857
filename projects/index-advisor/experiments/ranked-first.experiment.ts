import { defineExperiment } from "@db-katas/measure";
import { extend } from "../src/select/extend.ts";
import { loadWorkload } from "../workloads/index.ts";
import { type Choice, choose, openChoice } from "./choosing.ts";
import { connectTo } from "./database.ts";
import { worthAsking } from "./ranked.ts";

const SEED = 1;
/** The ranker was trained on neither. */
const names = ["join-heavy", "document"] as const;

export default defineExperiment({
  title: "What choosing asks and gets among all candidates, and among those that the ranker keeps.",
  parameters: { scale: { what: "of the workloads' rows", full: 0.01, quick: 0.004 } },
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
  async open({ leases, parameters: { scale = 0.01 }, signal }) {
    await using opening = new AsyncDisposableStack();
    const choices: Choice[] = [];
    for (const name of names) {
      const workload = await loadWorkload(name);
      const loading = await connectTo(leases, name);
      try {
        await workload.load(loading, { scale, seed: SEED });
      } finally {
        await loading.end();
      }
      const url = (await leases[name]?.urlFor("a")) ?? "";
      choices.push(opening.use(await openChoice(url, workload.statements({ scale, seed: SEED }))));
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
