/** One concurrent build, and what becomes of it where it fails. */
import { setTimeout as wait } from "node:timers/promises";
import { parse } from "libpg-query";
import type { ApplyRequest } from "../../contract.ts";
import { Deadline, type Session, terminate } from "../database.ts";
import { isConnectionLoss, messageOf } from "../errors.ts";
import { relationsOf } from "../relations.ts";
import { inTheMaking, remove } from "./drop.ts";
import { type Context, check, find, Impossible, limit, relax } from "./limits.ts";

/** How often one looks whether somebody has gone, in milliseconds. */
const LOOK_MS = 50;
/** How long a server that is gone is waited for, in milliseconds, to remove what a build has left there. */
const GONE_MS = 120_000;

interface Target {
  readonly schema: string;
  readonly name: string;
  /** Quoted, with its schema. */
  readonly table: string;
}

export async function build(
  context: Context,
  { name, sql }: ApplyRequest["create"][number],
): Promise<void> {
  const { session, soon } = context;
  const { client } = session;
  check(context);
  const index = await indexOf(context, name, sql);
  const existing = await find(client, index.name, index.schema);
  if (existing !== undefined) {
    if (!existing.isIndex) throw new Impossible(`${existing.name} is there, and is no index.`);
    if (existing.valid) return;
    if (existing.builder !== null) throw inTheMaking(existing.name, existing.builder);
    await remove(session, existing, soon);
  }
  await writersGone(context, index.table);
  check(context);
  await limit(client, {
    lockMs: context.lockTimeoutMs,
    statementMs: Math.min(context.statementTimeoutMs, soon.leftMs()),
  });
  try {
    await context.interruption.during(context, () => client.query(sql));
  } catch (error) {
    await clear(context, index, error);
  }
}

/**
 * What a build leaves is there until it is dropped: invalid, of no use, and kept up to date by every write.
 * @throws whatever the build failed for
 */
async function clear(context: Context, index: Target, error: unknown): Promise<never> {
  if (isConnectionLoss(error)) {
    await clearLater(context, index).catch(() => {});
    throw error;
  }
  const { session, interruption } = context;
  await relax(session.client, interruption.deadline);
  const left = await find(session.client, index.name, index.schema);
  if (left === undefined || left.valid) throw error;
  try {
    await remove(session, left, interruption.deadline);
  } catch (cause) {
    throw new Impossible(
      `${messageOf(error)}; and what it left, an invalid index, could not be removed in time (${messageOf(cause)}): somebody's transaction on its table is still open. The next call removes it, and so does DROP INDEX CONCURRENTLY ${left.name};`,
      { cause },
    );
  }
  throw error;
}

/** The server may not have noticed yet that nobody listens: it is told, so that the build ends. */
async function clearLater(context: Context, index: Target): Promise<void> {
  await using other = await reopened(context);
  const { client } = other;
  await terminate(client, context.session);
  const left = await find(client, index.name, index.schema);
  if (left !== undefined && !left.valid) {
    await remove(other, left, context.interruption.deadline);
  }
}

async function reopened({ open, interruption }: Context): Promise<Session> {
  const until = new Deadline(GONE_MS);
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (until.over || interruption.deadline.over) throw error;
      await wait(Math.min(LOOK_MS * 4, interruption.deadline.leftMs()));
    }
  }
}

/**
 * A build waits for every transaction that has written to the table before it; one that gives up leaves its
 * ruin behind. So they are waited for before it begins.
 */
async function writersGone(context: Context, table: string): Promise<void> {
  const { session, lockTimeoutMs, interruption } = context;
  const until = performance.now() + lockTimeoutMs;
  // Locks that SHARE conflicts with (PostgreSQL's manual, 13.3.1), of those that are there now.
  const holders = async (among: readonly string[] | null) => {
    const { rows } = await session.client.query<{ vxid: string; pid: number }>(
      `SELECT DISTINCT virtualtransaction AS vxid, pid FROM pg_locks
       WHERE locktype = 'relation' AND granted AND relation = to_regclass($1) AND pid <> pg_backend_pid()
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
         AND mode IN ('RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareRowExclusiveLock',
                      'ExclusiveLock', 'AccessExclusiveLock')
         AND ($2::text[] IS NULL OR virtualtransaction = ANY ($2))`,
      [table, among],
    );
    return rows;
  };
  let left = await holders(null);
  const vxids = left.map(({ vxid }) => vxid);
  while (left.length > 0) {
    if (performance.now() >= until) {
      throw new Impossible(
        `Transactions of process ${left.map(({ pid }) => pid).join(", ")} have ${table} locked for longer than ${lockTimeoutMs} ms. Nothing was begun; try again when they have ended.`,
      );
    }
    await wait(LOOK_MS);
    interruption.check();
    left = await holders(vxids);
  }
}

/** Only what an advice says is run: one concurrent build, of that name. */
async function indexOf({ session }: Context, name: string, sql: string): Promise<Target> {
  const tree = await parse(sql).catch((error: unknown) => {
    throw new Impossible(`${messageOf(error)} in: ${sql}`);
  });
  const [first, ...more] = (tree as { stmts?: { stmt?: Record<string, unknown> }[] }).stmts ?? [];
  const statement = first?.stmt?.IndexStmt as
    | { idxname?: string; concurrent?: boolean }
    | undefined;
  const [relation] = relationsOf(statement);
  if (more.length > 0 || statement?.idxname !== name || !statement.concurrent || !relation) {
    throw new Impossible(`Not one CREATE INDEX CONCURRENTLY of the name ${name}: ${sql}`);
  }
  const { rows } = await session.client.query<{ schema: string; table: string }>(
    `SELECT n.nspname AS schema, format('%I.%I', n.nspname, c.relname) AS table
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid = to_regclass(concat_ws('.', quote_ident($1::text), quote_ident($2::text)))`,
    [relation.schema ?? null, relation.name],
  );
  const [found] = rows;
  if (found === undefined) throw new Impossible(`There is no table ${relation.name} for ${name}.`);
  return { ...found, name };
}
