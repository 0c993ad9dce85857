import { defineExperiment } from "@db-katas/measure";
import { bothStores, fillLegacy, idOf, poolOf } from "./stores.ts";

const PAGE = 100;

export default defineExperiment({
  title: "What the last page of a copy costs, in a table of so many rows.",
  parameters: { accounts: { what: "rows of the table", full: 64_000, quick: 8_000 } },
  engines: bothStores,
  contenders: {
    offset: { what: `ORDER BY id LIMIT ${PAGE} OFFSET n, as the guide has it` },
    keyset: { what: `WHERE id > last ORDER BY id LIMIT ${PAGE}` },
  },
  load: { kind: "closed", clients: 1, ms: 100 },
  turns: 10,
  async open({ leases, parameters: { accounts = 1 } }) {
    await fillLegacy(leases, accounts);
    const pool = await poolOf(leases, "legacy");
    const depth = accounts - PAGE;
    const page = {
      offset: () =>
        pool.query("SELECT * FROM accounts ORDER BY id LIMIT $1 OFFSET $2", [PAGE, depth]),
      keyset: () =>
        pool.query("SELECT * FROM accounts WHERE id > $2 ORDER BY id LIMIT $1", [
          PAGE,
          idOf(depth - 1),
        ]),
    };
    return {
      async measure(contender, turn) {
        await turn.load(async () => {
          const { rows } = await page[contender as keyof typeof page]();
          if (rows.length !== PAGE) throw new Error(`${rows.length} rows instead of ${PAGE}.`);
        });
      },
      [Symbol.asyncDispose]: () => pool.end(),
    };
  },
});
