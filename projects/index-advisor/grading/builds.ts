import { setTimeout as wait } from "node:timers/promises";
import type pg from "pg";
import { type AdvisorContext, connected } from "./kit.ts";

export const LOCK_MS = 500;
export const STATEMENT_MS = 20_000;
/** Room for a busy machine, in milliseconds. */
export const SLACK_MS = 2_500;
/** How long apply() may take beyond the limits that it was given, in milliseconds. */
export const APPLY_MS = 15_000;

/** How often one looks what others are doing, in milliseconds. */
const LOOK_MS = 25;

export type State = "absent" | "valid" | "invalid";

/** @param index with its schema, quoted where it must be */
export async function stateOf(client: pg.Client, index: string): Promise<State> {
  const { rows } = await client.query<{ valid: boolean }>(
    "SELECT indisvalid AND indisready AS valid FROM pg_index WHERE indexrelid = to_regclass($1)",
    [index],
  );
  return rows[0] === undefined ? "absent" : rows[0].valid ? "valid" : "invalid";
}

/** A function that makes each row of a build take so long. @param name with its schema @param ms per row */
export const slowFunction = (name: string, ms = 10) =>
  `CREATE FUNCTION ${name}(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
     BEGIN PERFORM pg_sleep(${ms / 1_000}); RETURN $1; END $$`;

/** Does it again and again until all is over. */
export async function whilePending(
  pending: Promise<unknown>,
  look: () => Promise<void>,
): Promise<void> {
  let done = false;
  const over = () => {
    done = true;
  };
  pending.then(over, over);
  while (!done) {
    await look();
    await wait(LOOK_MS);
  }
}

/** @returns once a build has begun on that table, or all is over @param table with its schema */
export async function untilBuilding(
  client: pg.Client,
  table: string,
  over: Promise<unknown>,
): Promise<void> {
  const progress =
    "SELECT FROM pg_stat_progress_create_index WHERE relid = to_regclass($1) AND phase LIKE 'building%'";
  const begun = Promise.withResolvers<void>();
  const looking = whilePending(Promise.race([over, begun.promise]), async () => {
    if ((await client.query(progress, [table])).rowCount === 1) begun.resolve();
  });
  await looking;
}

/** A write by somebody else goes through at once, or as soon as a wait for a lock has been given up. */
export async function expectWritable(t: AdvisorContext, sql: string): Promise<void> {
  await using writer = await connected(t, "target");
  const { outcome } = await t.within(
    LOCK_MS + SLACK_MS,
    () => writer.query(sql),
    "nobody's write waits longer than lockTimeoutMs",
  );
  if (outcome.status === "rejected") throw outcome.reason;
}
