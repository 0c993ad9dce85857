import { setTimeout as wait } from "node:timers/promises";
import { blackHole } from "@db-katas/engines/faults/blackHole";
import { defineExperiment } from "@db-katas/measure";
import { bothStores, fillLegacy, idOf, leaseOf, openNodeOn } from "./stores.ts";

/** As in the check `modern-away`. */
const BUDGET_MS = 1_500;

export default defineExperiment({
  title:
    "What a modern that hangs costs clients' updates while they go on to it, from the moment at which it stops.",
  parameters: { accounts: { what: "accounts that are updated in turn", full: 500, quick: 100 } },
  engines: { ...bothStores, modern: { ...bothStores.modern, needs: ["partition"] } },
  contenders: {
    healthy: { what: "modern answers" },
    hanging: { what: "nothing comes back from modern, from before the first update on" },
  },
  load: { kind: "open", perSecond: 50, ms: 500 },
  turns: 20,
  async open({ leases, parameters: { accounts = 1 } }) {
    await fillLegacy(leases, accounts);
    const node = await openNodeOn(leases, { phase: "copying", requestBudgetMs: BUDGET_MS });
    return {
      async measure(contender, turn) {
        const modern = leaseOf(leases, "modern");
        const fault = contender === "hanging" ? await modern.inject(blackHole) : undefined;
        try {
          const update = (n: number) => node.update(idOf(n % accounts), { balanceCents: n });
          await turn.load(update, { mayFail: true });
        } finally {
          await fault?.heal();
        }
        // The next contender begins with nothing to catch up on.
        while ((await node.status()).pending > 0) await wait(5);
      },
      [Symbol.asyncDispose]: () => node.close(),
    };
  },
});
