/** Dropping without keeping anybody waiting. */
import type { Session } from "../database.ts";
import { type Context, type Existing, find, Impossible, limit } from "./limits.ts";

/** What is to be dropped on request: it may wait no longer than a build. */
export async function drop(context: Context, name: string): Promise<void> {
  const { client } = context.session;
  const existing = await find(client, name);
  if (existing === undefined) return;
  if (!existing.isIndex) throw new Impossible(`${name} is no index.`);
  if (existing.held) {
    throw new Impossible(
      `${name} backs a constraint or a replica identity: without it, something else would break.`,
    );
  }
  if (existing.builder !== null) {
    throw new Impossible(`${name} is being built by process ${existing.builder} at this moment.`);
  }
  await limit(client, {
    lockMs: context.lockTimeoutMs,
    statementMs: Math.min(context.statementTimeoutMs, context.soon.leftMs()),
  });
  try {
    await client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${existing.name}`);
  } catch (error) {
    // It was taken out of use already, and waited for those who still read it: there is no way back but on.
    const still = await find(client, name);
    if (still === undefined) return;
    if (existing.valid && !still.valid) {
      await remove(context.session, still, context);
      return;
    }
    throw error;
  }
}

/**
 * Removes what nobody can use. While a transaction is open that has touched the table, the drop waits for it,
 * whatever limits a build has: there is no other way to get rid of it, and it keeps nobody from reading or
 * writing meanwhile (PostgreSQL's manual, DROP INDEX, CONCURRENTLY). So it may wait as long as the call lasts.
 */
export async function remove(
  { client }: Session,
  existing: Pick<Existing, "name">,
  { deadline }: Pick<Context, "deadline">,
): Promise<void> {
  await limit(client, { lockMs: 0, statementMs: deadline.share(0.8) });
  await client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${existing.name}`);
}
