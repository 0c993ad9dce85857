import type pg from "pg";
import { password, type RunContext } from "../../context.ts";
import { adminName } from "./settings.ts";

export interface Login {
  readonly name: string;
  readonly password: string;
}

export type Query = (text: string, values?: unknown[]) => Promise<pg.QueryResult>;

/** A submission's: it owns its databases, and is nobody elsewhere. */
export function ownerOf(context: RunContext, name: string): Login {
  return { name, password: password(context, name) };
}

/** The grader's, for the databases of an owner. */
export function administratorOf(context: RunContext, { name: owner }: Login): Login {
  const name = owner.replace(/^kata_/, `${adminName}_`);
  return { name, password: password(context, name) };
}

/** Predefined roles of all that can be done in a database without being a superuser; some are newer than others. */
const powers = [
  "pg_monitor",
  "pg_read_all_data",
  "pg_write_all_data",
  "pg_checkpoint",
  "pg_maintain",
  "pg_use_reserved_connections",
];

/**
 * Makes who may do everything in the databases of an owner, and nothing to the server. A superuser would
 * be dangerous there: whoever owns a table has triggers run by those who write to it, and functions by
 * those who think that they are PostgreSQL's own (CVE-2018-1058), who with `RESET ROLE` are who they are.
 * @param query as a superuser
 * @param attributes further ones: `REPLICATION`
 */
export async function createAdministrator(
  query: Query,
  { name, password: secret }: Login,
  owner: Login,
  attributes = "",
): Promise<void> {
  const { rows } = await query("SELECT rolname FROM pg_roles WHERE rolname = ANY ($1)", [powers]);
  const memberOf = [owner.name, ...rows.map(({ rolname }) => rolname)].join(", ");
  await query(
    `CREATE ROLE ${name} LOGIN NOSUPERUSER BYPASSRLS ${attributes} PASSWORD '${secret}' IN ROLE ${memberOf}`,
  );
}

/** What makes a database an owner's alone, and its administrator's, who stays in where the owner is kept out. */
export function closeToOthers(database: string, administrator: Login | undefined): string {
  const admitted =
    administrator && `GRANT CONNECT ON DATABASE ${database} TO ${administrator.name}`;
  return [`REVOKE ALL ON DATABASE ${database} FROM PUBLIC`, admitted].filter(Boolean).join("; ");
}
