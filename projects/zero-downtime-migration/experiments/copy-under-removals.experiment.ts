import { defineExperiment } from "@db-katas/measure";
import { bothStores, fillLegacy, idOf, poolOf } from "./stores.ts";

const PAGE = 50;

export default defineExperiment({
  title: "How many rows a copy loses while clients remove others that it has copied already.",
  parameters: { accounts: { what: "rows of the table", full: 2_000, quick: 500 } },
  engines: bothStores,
  contenders: {
    offset: { what: `LIMIT ${PAGE} OFFSET n, as the guide has it` },
    keyset: { what: `WHERE id > last LIMIT ${PAGE}` },
  },
  metrics: {
    lost: { what: "rows that are in legacy and were never read", kind: "value", unit: "rows" },
  },
  // Nothing here is left to chance.
  turns: 5,
  warmUpTurns: 0,
  async open({ leases, parameters: { accounts = 1 } }) {
    await fillLegacy(leases, accounts);
    const pool = await poolOf(leases, "legacy");
    const next = {
      offset: (copied: readonly string[]) =>
        pool.query<{ id: string }>("SELECT id FROM accounts ORDER BY id LIMIT $1 OFFSET $2", [
          PAGE,
          copied.length,
        ]),
      keyset: (copied: readonly string[]) =>
        pool.query<{ id: string }>("SELECT id FROM accounts WHERE id > $2 ORDER BY id LIMIT $1", [
          PAGE,
          copied.at(-1) ?? "",
        ]),
    };
    return {
      async measure(contender, turn) {
        const copied: string[] = [];
        const removed: string[] = [];
        for (;;) {
          const { rows } = await next[contender as keyof typeof next](copied);
          if (rows.length === 0) break;
          copied.push(...rows.map(({ id }) => id));
          // The client's removal: one row, long copied, after each page.
          const id = idOf(removed.length);
          await pool.query("DELETE FROM accounts WHERE id = $1", [id]);
          removed.push(id);
        }
        const { rows } = await pool.query<{ id: string }>("SELECT id FROM accounts");
        const read = new Set(copied);
        turn.record("lost", rows.filter(({ id }) => !read.has(id)).length);
        await pool.query(`INSERT INTO accounts (id) SELECT unnest($1::text[])`, [removed]);
      },
      [Symbol.asyncDispose]: () => pool.end(),
    };
  },
});
