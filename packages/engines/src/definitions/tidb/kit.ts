import assert from "node:assert/strict";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import type { Kit } from "../../conformance/kit.ts";
import { kit as mysql } from "../mysql/kit.ts";
import { replicasAvailable } from "./replicas.ts";

export const kit: Kit = {
  ...mysql,
  extras: {
    /** By the plan: a hint that is not obeyed is no error, and the answer is the same. */
    async "the same rows are read from TiKV or from TiFlash, as a hint says"(url) {
      const client = await createConnection({ uri: url });
      client.on("error", () => {});
      const sum = (engine: string) =>
        `SELECT /*+ READ_FROM_STORAGE(${engine}[sales]) */ SUM(amount) AS total FROM sales`;
      /** Who does the tasks of a plan: `root`, `cop[tikv]`, `cop[tiflash]` or `mpp[tiflash]`. */
      const tasks = async (query: string) => {
        const [plan] = await client.query<RowDataPacket[]>(`EXPLAIN ${query}`);
        return plan.map(({ task }) => String(task)).join(" ");
      };
      try {
        await client.query("CREATE TABLE sales (id INT PRIMARY KEY, amount INT)");
        await client.query("ALTER TABLE sales SET TIFLASH REPLICA 1");
        await client.query("INSERT INTO sales VALUES (1, 10), (2, 20), (3, 12)");
        await replicasAvailable(client, new URL(url).pathname.slice(1));
        assert.match(await tasks(sum("TIKV")), /cop\[tikv\]/);
        assert.match(await tasks(sum("TIFLASH")), /(mpp|cop)\[tiflash\]/);
        for (const engine of ["TIKV", "TIFLASH"]) {
          const [[row]] = await client.query<RowDataPacket[]>(sum(engine));
          assert.equal(Number(row?.total), 42);
        }
      } finally {
        client.destroy();
      }
    },
  },
};
