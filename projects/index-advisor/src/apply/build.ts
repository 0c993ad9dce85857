/** One concurrent build, and what becomes of it where it fails. */
import { setTimeout as wait } from "node:timers/promises";
import { parse } from "libpg-query";
import type { ApplyRequest } from "../../contract.ts";
import type { Session } from "../database.ts";
import { isConnectionLoss, messageOf } from "../errors.ts";
import { relationsOf } from "../relations.ts";
import { remove } from "./drop.ts";
import { type Context, find, Impossible, limit } from "./limits.ts";

/** How often one looks whether somebody has gone, in milliseconds. */
const LOOK_MS = 50;

export async function build(
  context: Context,
  { name, sql }: ApplyRequest["create"][number],
): Promise<void> {
  const { session, soon } = context;
  const { client } = session;
  const index = await indexOf(context, name, sql);
  const existing = await find(client, index.name);
  if (existing !== undefined) {
    if (!existing.isIndex) throw new Impossible(`${index.name} is there, and is no index.`);
    if (existing.valid) return;
    if (existing.builder !== null) {
      throw new Impossible(`${index.name} is being built by process ${existing.builder} already.`);
    }
    await remove(session, existing, { deadline: soon });
  }
  await writersGone(context, index.table);
  await limit(client, {
    lockMs: context.lockTimeoutMs,
    statementMs: Math.min(context.statementTimeoutMs, soon.leftMs()),
  });
  try {
    await client.query(sql);
  } catch (error) {
    await clear(context, index.name, error);
  }
}

/**
 * What a build leaves is there until it is dropped: invalid, of no use, and kept up to date by every write.
 * @throws whatever the build failed for
 */
async function clear(context: Context, name: string, error: unknown): Promise<never> {
  if (isConnectionLoss(error)) {
    await clearLater(context, name).catch(() => {});
    throw error;
  }
  const left = await find(context.session.client, name);
  if (left === undefined || left.valid) throw error;
  try {
    await remove(context.session, left, context);
  } catch (cause) {
    throw new Impossible(
      `${messageOf(error)}; and what it left, an invalid index, could not be removed in time (${messageOf(cause)}): somebody's transaction on its table is still open. The next call removes it.`,
      { cause },
    );
  }
  throw error;
}

/** The server may not have noticed yet that nobody listens: it is told, so that the build ends. */
async function clearLater(context: Context, name: string): Promise<void> {
  await using other = await reopened(context);
  const { client } = other;
  await client.query("SELECT pg_terminate_backend($1, 1000)", [context.session.pid]);
  const left = await find(client, name);
  if (left !== undefined && !left.valid) await remove(other, left, context);
}

async function reopened({ open, deadline }: Context): Promise<Session> {
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (deadline.over) throw error;
      await wait(Math.min(LOOK_MS * 4, deadline.leftMs()));
    }
  }
}

/** A build waits for every transaction that has written to the table before it; one that gives up leaves its ruin behind. So they are waited for before it begins. */
async function writersGone({ session, lockTimeoutMs }: Context, table: string): Promise<void> {
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
    left = await holders(vxids);
  }
}

/** Only what an advice says is run: one concurrent build, of that name. */
async function indexOf(
  { session }: Context,
  name: string,
  sql: string,
): Promise<{ readonly name: string; readonly table: string }> {
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
  return { name: `${found.schema}.${name}`, table: found.table };
}
