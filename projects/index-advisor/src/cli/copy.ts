/** The copy that advice is measured on. */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { connect, Deadline, type Session } from "../database.ts";
import { messageOf, sqlState } from "../errors.ts";
import { copyImpossible, sameDatabase, serverTooOld } from "./errors.ts";
import { formatSize } from "./units.ts";

/** Live: it is gone when disposed, if it was made here. */
export interface Copy extends AsyncDisposable {
  readonly url: string;
  /** Of the database that was made here, and will be dropped. */
  readonly name: string | undefined;
}

export interface CopyOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
  /** What copying may take, in milliseconds. */
  readonly timeoutMs: number;
}

const OLDEST = 150_000;
/** What dropping may take, in milliseconds. */
const DROP_MS = 30_000;

/**
 * A database that was named, or one that is made from the target and dropped again. PostgreSQL copies a
 * database only while nobody else is connected to it ("CREATE DATABASE", Notes), so that one which is in
 * use has to be dumped.
 *
 * @throws ToolError `COPY_IMPOSSIBLE`, `SAME_DATABASE`, `SERVER_TOO_OLD`; AdvisorError where a server can't be reached
 */
export async function copyOf(
  target: string,
  given: string | undefined,
  options: CopyOptions,
): Promise<Copy> {
  const { signal } = options;
  const deadline = new Deadline(options.timeoutMs);
  // Not cut by the signal: CREATE DATABASE would go on, and its database stay.
  await using session = await connect("target", target, { deadline });
  signal.throwIfAborted();
  await checkVersion("The target", session);
  if (given !== undefined) {
    await using scratch = await connect("scratch", given, { deadline, signal });
    await checkVersion("The copy", scratch);
    await checkOther(session, scratch);
    return { url: given, name: undefined, async [Symbol.asyncDispose]() {} };
  }
  return await make(target, session, options);
}

async function make(
  target: string,
  { client, pid }: Session,
  { signal, onProgress }: CopyOptions,
): Promise<Copy> {
  const { rows } = await client.query<{ database: string; bytes: string }>(
    "SELECT current_database() AS database, pg_database_size(current_database()) AS bytes",
  );
  const { database, bytes } = rows[0] ?? { database: "", bytes: "0" };
  // A name has room for 63 bytes.
  const name = `${database.slice(0, 40)}_advise_${randomBytes(4).toString("hex")}`;
  const impossible = (why: string, cause?: unknown) =>
    copyImpossible(why, dumpLine(target, `${database}_copy`), cause);
  onProgress(
    `copying ${database} (${formatSize(Number(bytes))}) to ${name}, which is dropped at the end`,
  );
  const quoted = pg.escapeIdentifier(name);
  const ask = async (sql: string) => {
    await using session = await connect("target", target, { deadline: new Deadline(DROP_MS) });
    await session.client.query(sql);
  };
  const drop = () => ask(`DROP DATABASE IF EXISTS ${quoted} WITH (FORCE)`);
  const cancel = () => void ask(`SELECT pg_cancel_backend(${pid})`).catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  try {
    await client.query(`CREATE DATABASE ${quoted} TEMPLATE ${pg.escapeIdentifier(database)}`);
  } catch (error) {
    signal.throwIfAborted();
    if (sqlState(error) === undefined) await drop().catch(() => {});
    throw impossible(REASONS[sqlState(error) ?? ""] ?? messageOf(error), error);
  } finally {
    signal.removeEventListener("abort", cancel);
  }
  if (signal.aborted) await drop();
  signal.throwIfAborted();
  const url = new URL(target);
  url.pathname = `/${encodeURIComponent(name)}`;
  return { url: url.href, name, [Symbol.asyncDispose]: drop };
}

/** SQLSTATEs: PostgreSQL's manual, appendix A. */
const REASONS: Readonly<Record<string, string>> = {
  "42501": "this role may not create databases, or does not own the one to be copied",
  "25006": "this server only reads, as a replica does",
  "55006": "somebody else is connected to it, and only an idle database can be copied",
  "53100": "the server's disk is full",
};

async function checkVersion(which: string, { client }: Session): Promise<void> {
  const { rows } = await client.query<{ number: number; version: string }>(
    "SELECT current_setting('server_version_num')::integer AS number, current_setting('server_version') AS version",
  );
  const [found] = rows;
  if (found && found.number < OLDEST) throw serverTooOld(which, found.version);
}

/** Names and ports tell little, where proxies are between. An advisory lock belongs to one database. */
async function checkOther(target: Session, scratch: Session): Promise<void> {
  const key = randomBytes(8).readBigInt64LE().toString();
  await target.client.query("SELECT pg_advisory_lock($1)", [key]);
  const { rows } = await scratch.client.query<{ free: boolean }>(
    "SELECT pg_try_advisory_lock($1) AS free",
    [key],
  );
  if (!rows[0]?.free) throw sameDatabase();
}

/** Without the password, which psql asks for or finds in `~/.pgpass`. */
function dumpLine(target: string, name: string): string {
  const from = new URL(target);
  from.password = "";
  from.search = "";
  const to = new URL(from);
  to.pathname = `/${encodeURIComponent(name)}`;
  return `createdb ${name} && pg_dump --no-owner '${from.href}' | psql -q '${to.href}'`;
}
