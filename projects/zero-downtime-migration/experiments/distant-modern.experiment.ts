import { delay } from "@db-katas/engines/faults/delay";
import { defineExperiment } from "@db-katas/measure";
import { bothStores, fillLegacy, idOf, leaseOf, openNodeOn, poolOf } from "./stores.ts";

export default defineExperiment({
  title: "What a client's update takes while the writes go on to a modern that is far away.",
  parameters: {
    accounts: { what: "accounts that are updated in turn", full: 500, quick: 100 },
    distanceMs: { what: "to modern, one way", full: 25, quick: 25 },
  },
  engines: bothStores,
  contenders: {
    carried: { what: "the reference: noted in legacy's transaction, carried by itself" },
    "written-twice": { what: "an UPDATE in legacy, then one in modern, as the guide has it" },
  },
  load: { kind: "closed", clients: 2, ms: 400 },
  turns: 20,
  async open({ leases, parameters: { accounts = 1, distanceMs = 1 } }) {
    await using opening = new AsyncDisposableStack();
    await fillLegacy(leases, accounts);
    const budget = { phase: "copying", requestBudgetMs: 10_000 } as const;
    const node = opening.adopt(await openNodeOn(leases, budget), (each) => each.close());
    const legacy = opening.adopt(await poolOf(leases, "legacy"), (each) => each.end());
    const modern = opening.adopt(await poolOf(leases, "modern"), (each) => each.end());
    const distance = await leaseOf(leases, "modern").inject(delay, { ms: distanceMs });
    opening.defer(() => distance.heal());
    const update = {
      carried: (n: number) => node.update(idOf(n), { balanceCents: n }),
      "written-twice": async (n: number) => {
        await legacy.query("UPDATE accounts SET cents = $2 WHERE id = $1", [idOf(n), String(n)]);
        await modern.query("UPDATE accounts SET balance_cents = $2 WHERE id = $1", [idOf(n), n]);
      },
    };
    const opened = opening.move();
    return {
      async measure(contender, turn) {
        await turn.load((n) => update[contender as keyof typeof update](n % accounts));
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  },
});
