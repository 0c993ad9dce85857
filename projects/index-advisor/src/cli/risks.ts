/** What statements of others could do on the copy, for people to know before they are run. */
import type pg from "pg";

interface Row {
  readonly superuser: boolean;
  readonly programs: boolean;
  readonly foreign: boolean;
  /** Names, with commas between them. */
  readonly extensions: string | null;
  readonly languages: string | null;
}

/** Extensions whose functions speak to other servers: what they were told is not rolled back. */
const FAR_REACHING = ["dblink", "http", "pg_net"];

const QUESTION = `
SELECT rolsuper AS superuser,
  EXISTS (SELECT FROM pg_roles r WHERE pg_has_role(r.oid, 'MEMBER')
    AND r.rolname IN ('pg_execute_server_program', 'pg_write_server_files')) AS programs,
  EXISTS (SELECT FROM pg_class WHERE relkind = 'f') AS foreign,
  (SELECT string_agg(extname, ', ' ORDER BY extname) FROM pg_extension WHERE extname = ANY ($1)) AS extensions,
  (SELECT string_agg(DISTINCT l.lanname, ', ') FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    JOIN pg_language l ON l.oid = p.prolang
    WHERE NOT t.tgisinternal AND NOT l.lanpltrusted AND l.lanname NOT IN ('internal', 'c')) AS languages
FROM pg_roles WHERE rolname = current_user`;

/** @param client of the copy @returns warnings; none where statements can do no more than to change its rows for a moment */
export async function risksOf(client: pg.Client): Promise<readonly string[]> {
  const { rows } = await client.query<Row>(QUESTION, [FAR_REACHING]);
  const [row] = rows;
  if (row === undefined) return [];
  const { superuser, programs, foreign, extensions, languages } = row;
  const risks: string[] = [];
  if (superuser || programs) {
    risks.push(
      `The role in the copy's address ${superuser ? "is a superuser" : "may write files or run programs on its server"}, and every statement is run as that role. Whoever may ask your database anything can have put one there that does harm on the server. Give the address of a role that owns the copy's tables, and may do no more.`,
    );
  }
  if (foreign) {
    risks.push(
      "The copy has foreign tables: statements that read them read the servers that they are on. Those that write there are skipped.",
    );
  }
  if (extensions !== null) {
    risks.push(
      `The copy has ${extensions}: what functions and triggers tell other servers through that is not taken back. Drop it in the copy if they do.`,
    );
  }
  if (languages !== null) {
    risks.push(
      `The copy has triggers in ${languages}, which may reach files and other servers: what they do there is not taken back. Drop them in the copy if they do.`,
    );
  }
  return risks;
}
