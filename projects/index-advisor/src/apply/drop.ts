/** Dropping without keeping anybody waiting. */
import type { DropIndex } from "../../contract.ts";
import type { Deadline, Session } from "../database.ts";
import { type Context, check, type Existing, find, Impossible, limit, relax } from "./limits.ts";

/** What is to be dropped, and why where that is known. */
export type Drop = Pick<DropIndex, "name"> & Partial<Pick<DropIndex, "reason">>;

/** What is to be dropped on request: it may wait no longer than a build. */
export async function drop(context: Context, { name, reason }: Drop): Promise<void> {
  const { client } = context.session;
  check(context);
  const existing = await find(client, name);
  if (existing === undefined) return;
  if (!existing.isIndex) throw new Impossible(`${name} is no index.`);
  if (existing.partitioned) {
    throw new Impossible(
      `${name} is an index of a partitioned table: PostgreSQL drops such a one only while it keeps everybody from the table.`,
    );
  }
  if (existing.held) {
    throw new Impossible(
      `${name} backs a constraint, a replica identity or a partitioned index: without it, something else would break.`,
    );
  }
  if (existing.builder !== null && !existing.valid) throw inTheMaking(name, existing.builder);
  if (reason === "invalid" && existing.valid) {
    throw new Impossible(`${name} is valid by now: somebody has built it to its end.`);
  }
  await limit(client, {
    lockMs: context.lockTimeoutMs,
    statementMs: Math.min(context.statementTimeoutMs, context.soon.leftMs()),
  });
  try {
    await context.interruption.during(context, () =>
      client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${existing.name}`),
    );
  } catch (error) {
    // It was taken out of use already, and waited for those who still read it: there is no way back but on.
    await relax(client, context.interruption.deadline);
    const still = await find(client, name);
    if (still === undefined) return;
    if (existing.valid && !still.valid) {
      await remove(context.session, still, context.interruption.deadline);
      return;
    }
    throw error;
  }
}

export function inTheMaking(name: string, builder: number): Impossible {
  return new Impossible(
    `${name} is not valid, and process ${builder} has its table locked as those do who build: it may be in the making. Try again when that has ended.`,
  );
}

/**
 * Removes what nobody can use. While a transaction is open that has touched the table, the drop waits for it,
 * whatever limits a build has: there is no other way to get rid of it, and it keeps nobody from reading or
 * writing meanwhile (PostgreSQL's manual, DROP INDEX, CONCURRENTLY). So it may wait as long as the call lasts.
 */
export async function remove(
  { client }: Session,
  existing: Pick<Existing, "name">,
  deadline: Deadline,
): Promise<void> {
  await relax(client, deadline);
  await client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${existing.name}`);
}
