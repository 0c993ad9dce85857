import type { Connection, RowDataPacket } from "mysql2/promise";
import { makeAll } from "../../databases.ts";

/** What is in a database, in the order in which it can be made; each `list` gives names. */
const contents = [
  {
    kind: "TABLE",
    list: "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ? AND table_type <> 'VIEW'",
  },
  ...["FUNCTION", "PROCEDURE"].map((kind) => ({
    kind,
    list: `SELECT routine_name AS name FROM information_schema.routines WHERE routine_schema = ? AND routine_type = '${kind}'`,
  })),
  {
    kind: "VIEW",
    list: "SELECT table_name AS name FROM information_schema.views WHERE table_schema = ?",
  },
  {
    kind: "TRIGGER",
    list: "SELECT trigger_name AS name FROM information_schema.triggers WHERE trigger_schema = ?",
  },
  {
    kind: "EVENT",
    list: "SELECT event_name AS name FROM information_schema.events WHERE event_schema = ?",
  },
] as const;

/**
 * Copies everything from one database into another, as a dump that is read in again would.
 * @param client its settings are changed
 */
export async function copyDatabase(client: Connection, from: string, to: string): Promise<void> {
  await client.query("SET foreign_key_checks = 0, unique_checks = 0");
  for (const { kind, list } of contents) {
    const [found] = await client.query<RowDataPacket[]>(list, [from]);
    await makeAll(found, ({ name }) => copyOne(client, kind, name, from, to));
  }
}

async function copyOne(
  client: Connection,
  kind: string,
  name: string,
  from: string,
  to: string,
): Promise<void> {
  await client.query("USE ??", [from]);
  const [[made]] = await client.query<RowDataPacket[]>(`SHOW CREATE ${kind} ??`, [name]);
  const statement = made?.["SQL Original Statement"] ?? made?.[`Create ${capitalised(kind)}`];
  // Programs keep the mode in which they were made; rows may hold what a strict one would change.
  await client.query("SET sql_mode = ?", [made?.sql_mode ?? "NO_AUTO_VALUE_ON_ZERO"]);
  await client.query("USE ??", [to]);
  // It may name its database, and its maker, who is called the same.
  await client.query(String(statement).replaceAll(from, to));
  if (kind === "TABLE") await copyRows(client, name, from, to);
}

function capitalised(kind: string): string {
  return `${kind[0]}${kind.slice(1).toLowerCase()}`;
}

async function copyRows(client: Connection, table: string, from: string, to: string) {
  const [columns] = await client.query<RowDataPacket[]>("SHOW COLUMNS FROM ??.??", [from, table]);
  const stored = columns
    .filter(({ Extra }) => !/(VIRTUAL|STORED) GENERATED/.test(Extra))
    .map(({ Field }) => Field);
  await client.query("INSERT INTO ??.?? (??) SELECT ?? FROM ??.??", [
    ...[to, table, stored],
    ...[stored, from, table],
  ]);
}
