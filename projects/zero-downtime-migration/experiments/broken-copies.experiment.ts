import { defineExperiment } from "@db-katas/measure";
import { bothStores, fillLegacy, idOf, openNodeOn, poolOf } from "./stores.ts";

/** What goes wrong in copies under writes; each is done to modern, to account n. */
const DAMAGE: Readonly<Record<string, readonly string[]>> = {
  "a row was skipped": ["DELETE FROM accounts WHERE id = $1"],
  "an older write came last": [
    "UPDATE accounts SET balance_cents = balance_cents - 1 WHERE id = $1",
  ],
  "a row was skipped, and a removed one came back": [
    "DELETE FROM accounts WHERE id = $1",
    "INSERT INTO accounts VALUES ($1 || '-removed', 'gone@example.org', 0, NULL)",
  ],
  "a field was not translated": ["UPDATE accounts SET closed_on = '2026-01-31' WHERE id = $1"],
};

export default defineExperiment({
  title: "Of copies that went wrong in one row, each in another way: how many are noticed.",
  parameters: { accounts: { what: "accounts that were copied", full: 1_000, quick: 100 } },
  engines: bothStores,
  contenders: {
    count: { what: "COUNT(*) on both sides, as the guide validates" },
    verify: { what: "the reference: row by row" },
  },
  metrics: { noticed: { what: "share of broken copies noticed", kind: "value", unit: "1" } },
  turns: 5,
  warmUpTurns: 0,
  async open({ leases, parameters: { accounts = 1 }, random }) {
    await using opening = new AsyncDisposableStack();
    await fillLegacy(leases, accounts);
    const budget = { phase: "copying", requestBudgetMs: 10_000 } as const;
    const node = opening.adopt(await openNodeOn(leases, budget), (each) => each.close());
    const legacy = opening.adopt(await poolOf(leases, "legacy"), (each) => each.end());
    const modern = opening.adopt(await poolOf(leases, "modern"), (each) => each.end());
    const count = async (store: typeof legacy) =>
      (await store.query<{ n: number }>("SELECT count(*)::int AS n FROM accounts")).rows[0]?.n;
    const isWrong = {
      count: async () => (await count(legacy)) !== (await count(modern)),
      verify: async () => {
        const { missing, surplus, differing } = await node.verify({ repair: false });
        return [missing, surplus, differing].some((ids) => ids.length > 0);
      },
    };
    const opened = opening.move();
    return {
      async measure(contender, turn) {
        const notices = isWrong[contender as keyof typeof isWrong];
        if (await notices()) throw new Error(`${contender} finds fault with a copy that is right.`);
        let noticed = 0;
        for (const statements of Object.values(DAMAGE)) {
          const id = idOf(Math.floor(random() * accounts));
          for (const statement of statements) await modern.query(statement, [id]);
          if (await notices()) noticed++;
          await node.verify({ repair: true });
        }
        turn.record("noticed", noticed / Object.keys(DAMAGE).length);
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  },
});
