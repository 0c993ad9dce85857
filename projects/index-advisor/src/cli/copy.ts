/** The copy that advice is measured on. */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { cancellable } from "../cancel.ts";
import { areSame, connect, Deadline, type Session, terminate } from "../database.ts";
import { cut, LONGEST_NAME } from "../ddl.ts";
import { messageOf, sqlState } from "../errors.ts";
import { copyImpossible, copyMissing, sameDatabase, serverTooOld } from "./errors.ts";
import { formatSize } from "./units.ts";

/** Live: it is gone when disposed, if it was made here. */
export interface Copy extends AsyncDisposable {
  readonly url: string;
  /** Of the database that was made here, and will be dropped. */
  readonly name: string | undefined;
}

export interface CopyOptions {
  /** Address of a copy that there is. */
  readonly scratch: string | undefined;
  /** Without one: how large a database may be that is copied here, in bytes. */
  readonly makeCopyBytes: number | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
  /** What reaching the servers may take, in milliseconds. */
  readonly timeoutMs: number;
}

const OLDEST = 150_000;
/** What copying may take, in milliseconds: for as long, nobody can connect to the database. */
const COPY_MS = 60_000;
/** What dropping may take, in milliseconds. */
const DROP_MS = 30_000;

/** @throws ToolError `COPY_MISSING` */
export function assertCopy(target: string, { scratch, makeCopyBytes }: Partial<CopyOptions>): void {
  if (scratch === undefined && makeCopyBytes === undefined) throw copyMissing(dumpLine(target));
}

/**
 * A database that was named, or one that is made from the target and dropped again. PostgreSQL copies a
 * database only while nobody else is connected to it ("CREATE DATABASE", Notes), so that one which is in
 * use has to be dumped.
 *
 * @throws ToolError `COPY_MISSING`, `COPY_IMPOSSIBLE`, `SAME_DATABASE`, `SERVER_TOO_OLD`; AdvisorError where a server can't be reached
 */
export async function copyOf(target: string, options: CopyOptions): Promise<Copy> {
  const { scratch: given, makeCopyBytes, signal, timeoutMs } = options;
  assertCopy(target, options);
  const deadline = new Deadline(timeoutMs);
  // Not cut by the signal: CREATE DATABASE is ended by asking, so that one knows what became of it.
  await using session = await connect("target", target, { deadline });
  signal.throwIfAborted();
  await checkVersion("The target", session);
  if (given === undefined) return await make(target, makeCopyBytes ?? 0, session, options);
  await using scratch = await connect("scratch", given, { deadline, signal });
  await checkVersion("The copy", scratch);
  if (await areSame(session, scratch)) throw sameDatabase();
  return { url: given, name: undefined, async [Symbol.asyncDispose]() {} };
}

async function make(
  target: string,
  mostBytes: number,
  session: Session,
  { signal, onProgress, timeoutMs }: CopyOptions,
): Promise<Copy> {
  const { client } = session;
  const { database, bytes, replicas } = await looked(client);
  const impossible = (why: string, cause?: unknown) => copyImpossible(why, dumpLine(target), cause);
  if (bytes > mostBytes) {
    throw impossible(
      `${database} has ${formatSize(bytes)}, and --make-copy stands for ${formatSize(mostBytes)} at most. --make-copy with a size allows more`,
    );
  }
  if (replicas > 0) {
    throw impossible(`${replicas} replicas follow this server, and all of the copy would go there`);
  }
  const end = `_advise_${randomBytes(4).toString("hex")}`;
  const name = `${cut(database, LONGEST_NAME - end.length)}${end}`;
  const quoted = pg.escapeIdentifier(name);
  onProgress(
    `copying ${database} (${formatSize(bytes)}) to ${name}, which is dropped at the end; meanwhile nobody can connect to ${database}`,
  );
  const drop = async () => {
    try {
      await using other = await outside(target);
      // A session that broke may still be at it.
      await terminate(other.client, session);
      await other.client.query(`DROP DATABASE IF EXISTS ${quoted} WITH (FORCE)`);
    } catch (error) {
      onProgress(
        `${name} could not be dropped (${messageOf(error)}). It takes up room until somebody types: DROP DATABASE ${quoted} WITH (FORCE);`,
      );
    }
  };
  try {
    await client.query(`SET statement_timeout = ${Math.min(COPY_MS, timeoutMs)}`);
    await cancellable(session, signal, () =>
      client.query(`CREATE DATABASE ${quoted} TEMPLATE ${pg.escapeIdentifier(database)}`),
    );
  } catch (error) {
    const state = sqlState(error);
    if (state === undefined && error !== signal.reason) await drop();
    signal.throwIfAborted();
    throw impossible(REASONS[state ?? ""] ?? messageOf(error), error);
  }
  if (signal.aborted) await drop();
  signal.throwIfAborted();
  return { url: inDatabase(target, name), name, [Symbol.asyncDispose]: drop };
}

async function looked(client: pg.Client) {
  const { rows } = await client.query<{ database: string; bytes: string; replicas: string }>(
    `SELECT current_database() AS database, pg_database_size(current_database()) AS bytes,
       (SELECT count(*) FROM pg_stat_replication) AS replicas`,
  );
  const { database, bytes, replicas } = rows[0] ?? { database: "", bytes: 0, replicas: 0 };
  return { database, bytes: Number(bytes), replicas: Number(replicas) };
}

/** While the target is copied it lets nobody in; the server's own database does, where the role may connect to it. */
async function outside(target: string): Promise<Session> {
  const deadline = new Deadline(DROP_MS);
  return connect("target", inDatabase(target, "postgres"), { deadline }).catch(() =>
    connect("target", target, { deadline }),
  );
}

/** SQLSTATEs: PostgreSQL's manual, appendix A. */
const REASONS: Readonly<Record<string, string>> = {
  "42501": "this role may not create databases, or does not own the one to be copied",
  "25006": "this server only reads, as a replica does",
  "55006": "somebody else is connected to it, and only an idle database can be copied",
  "53100": "the server's disk is full",
  "57014": `it took longer than ${COPY_MS / 1_000} s, in which nobody can connect to the database`,
};

async function checkVersion(which: string, { client }: Session): Promise<void> {
  const { rows } = await client.query<{ number: number; version: string }>(
    "SELECT current_setting('server_version_num')::integer AS number, current_setting('server_version') AS version",
  );
  const [found] = rows;
  if (found && found.number < OLDEST) throw serverTooOld(which, found.version);
}

function inDatabase(target: string, name: string): string {
  const url = new URL(target);
  url.pathname = `/${encodeURIComponent(name)}`;
  return url.href;
}

/** Without the password, which psql asks for or finds in `~/.pgpass`. */
function dumpLine(target: string): string {
  const from = new URL(target);
  from.password = "";
  from.search = "";
  const name = `${decodeURIComponent(from.pathname.slice(1))}_copy`;
  return `createdb ${name} && pg_dump --no-owner '${from.href}' | psql -q '${inDatabase(from.href, name)}'`;
}
