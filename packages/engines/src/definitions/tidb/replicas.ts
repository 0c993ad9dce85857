/** What TiFlash has of TiDB's tables. */
import type { Connection, RowDataPacket } from "mysql2/promise";
import { copyDatabase } from "../mysql/copy.ts";

const limitMs = 120_000;
const againMs = 200;

/**
 * As for any database of its protocol; what TiFlash has of it too, which SHOW CREATE TABLE doesn't
 * tell (TiDB manual, INFORMATION_SCHEMA.TIFLASH_REPLICA).
 */
export async function copyWithReplicas(
  client: Connection,
  from: string,
  to: string,
): Promise<void> {
  await copyDatabase(client, from, to);
  const [replicated] = await client.query<RowDataPacket[]>(
    "SELECT table_name AS name, replica_count AS count FROM information_schema.tiflash_replica WHERE table_schema = ?",
    [from],
  );
  for (const { name, count } of replicated)
    await client.query("ALTER TABLE ??.?? SET TIFLASH REPLICA ?", [to, name, Number(count)]);
  await replicasAvailable(client, to);
}

/**
 * Waits until TiFlash has all that it is to have of a database: a query that insists on it would be
 * refused before, and any other would read rows.
 */
export async function replicasAvailable(client: Connection, database: string): Promise<void> {
  for (const deadline = Date.now() + limitMs; ; ) {
    const [lacking] = await client.query<RowDataPacket[]>(
      "SELECT table_name AS name, progress FROM information_schema.tiflash_replica WHERE table_schema = ? AND available = 0",
      [database],
    );
    const [first] = lacking;
    if (!first) return;
    if (Date.now() > deadline)
      throw new Error(
        `TiFlash has no complete copy of ${first.name} after ${limitMs / 1_000} s (progress ${first.progress})`,
      );
    await new Promise((resolve) => setTimeout(resolve, againMs));
  }
}
