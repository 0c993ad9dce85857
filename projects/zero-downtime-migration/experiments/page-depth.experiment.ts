import { defineExperiment } from "@db-katas/measure";
import { bothStores, fillLegacy, idOf, poolOf } from "./stores.ts";

const PAGE = 100;

/** What EXPLAIN tells of a node of the plan, with all below it. */
interface Buffers {
  readonly "Shared Hit Blocks": number;
  readonly "Shared Read Blocks": number;
}

export default defineExperiment({
  title: "How much the last page of a copy touches, in a table of so many rows.",
  parameters: { accounts: { what: "rows of the table", full: 64_000, quick: 8_000 } },
  engines: bothStores,
  contenders: {
    offset: { what: `ORDER BY id LIMIT ${PAGE} OFFSET n, as the guide has it` },
    keyset: { what: `WHERE id > last ORDER BY id LIMIT ${PAGE}` },
  },
  metrics: {
    touched: {
      what: "blocks of table and index, wherever they were found",
      kind: "value",
      unit: "blocks",
    },
  },
  // Unlike time, this doesn't vary with what else the machine does.
  turns: 5,
  warmUpTurns: 1,
  async open({ leases, parameters: { accounts = 1 } }) {
    await fillLegacy(leases, accounts);
    const pool = await poolOf(leases, "legacy");
    const depth = accounts - PAGE;
    const page = {
      offset: `ORDER BY id LIMIT ${PAGE} OFFSET ${depth}`,
      keyset: `WHERE id > '${idOf(depth - 1)}' ORDER BY id LIMIT ${PAGE}`,
    };
    return {
      async measure(contender, turn) {
        const { rows } = await pool.query<{ "QUERY PLAN": [{ Plan: Buffers }] }>(
          `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)
           SELECT * FROM accounts ${page[contender as keyof typeof page]}`,
        );
        const plan = rows[0]?.["QUERY PLAN"][0].Plan;
        if (!plan) throw new Error("EXPLAIN shows no plan.");
        turn.record("touched", plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]);
      },
      [Symbol.asyncDispose]: () => pool.end(),
    };
  },
});
