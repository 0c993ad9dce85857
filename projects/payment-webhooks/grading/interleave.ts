/** Two calls that meet in every way in which they can. */
import { setTimeout as wait } from "node:timers/promises";
import { blackHole } from "@db-katas/engines/faults/blackHole";
import { resetConnections } from "@db-katas/engines/faults/resetConnections";
import pg from "pg";
import type { HookContext } from "./kit.ts";

/** More messages of one kind than one call needs; answers that poll would never run out. */
const MOST_MESSAGES = 16;
/** As many have a round in any case. */
const FIRST_MESSAGES = 4;
/** After so long no further round begins: a busy machine must cost nobody a point. In milliseconds. */
const ENOUGH_MS = 10_000;
/** How long to wait for somebody who may be waiting for the one that is stopped, in milliseconds. */
const LOCKED_MS = 120;
/** How long a call's unfinished business may take to begin once the call is over, in milliseconds. */
const AFTER_MS = 30;

/** What a check declares for both engines where nodes die. */
export const DEATH = { faults: [blackHole, resetConnections] } as const;

export interface Place {
  readonly engine: "postgres" | "redis";
  /** Default `request`. */
  readonly direction?: "request" | "reply";
}

/**
 * How node a, once stopped, goes on: from where it was; or not at all, its message lost and cut off from
 * both stores, as if it had died there.
 */
export type Ending = "goes on" | "dies";

export type Interleave = <T, U>(
  call: () => Promise<T>,
  meanwhile: () => Promise<U>,
) => Promise<
  readonly [call: PromiseSettledResult<T> | undefined, meanwhile: PromiseSettledResult<U>]
>;

/**
 * One round after another: a call of node a is stopped at its first message at a place, in the next round
 * at its second, and so on until it has no more. So it doesn't matter what a submission says to its
 * stores, in which order, or whether it uses them at all.
 * @param round begins with something fresh, calls `interleave` once, and judges. Where node a dies, it is
 *   cut off until the round is over; its call is undefined when it had no answer by then.
 */
export async function atEachMessage(
  t: HookContext,
  { engine, direction = "request" }: Place,
  ending: Ending,
  round: (interleave: Interleave) => Promise<void>,
): Promise<void> {
  const at = async (nth: number): Promise<boolean> => {
    let reached = false;
    const cuts: AsyncDisposable[] = [];
    let stopped: Promise<unknown> = Promise.resolve();
    await round(async (call, meanwhile) => {
      using gate = t.hold(engine, { node: "a", direction, match: /./, nth });
      const first = call();
      stopped = first;
      const over = Promise.allSettled([first]).then(() => wait(AFTER_MS, false));
      reached = await Promise.race([gate.held.then(() => true), over]);
      const second = meanwhile();
      await Promise.race([Promise.allSettled([second]), wait(LOCKED_MS)]);
      if (ending === "goes on" || !reached) {
        gate.release();
        return Promise.allSettled([first, second]);
      }
      for (const each of ["postgres", "redis"]) {
        cuts.push(await t.inject(each, blackHole, { nodes: ["a"] }));
      }
      gate.drop();
      // A process that ends takes all of its connections with it, and what they had locked.
      for (const each of ["postgres", "redis"]) {
        await t.inject(each, resetConnections, { nodes: ["a"] });
      }
      const [other] = await Promise.allSettled([second]);
      const [mine] = await Promise.race([
        Promise.allSettled([first]),
        wait(LOCKED_MS, [undefined] as const),
      ]);
      return [mine, other];
    });
    for (const cut of cuts) await cut[Symbol.asyncDispose]();
    await Promise.allSettled([stopped]);
    return reached;
  };
  const end = performance.now() + ENOUGH_MS;
  for (let nth = 1; nth <= MOST_MESSAGES && (await at(nth)); nth += 1) {
    if (nth >= FIRST_MESSAGES && performance.now() > end) return;
  }
}

/** Nothing can be written, in any table that the submission made, until `meanwhile` is over. */
export async function whileNobodyWrites<T>(
  t: HookContext,
  meanwhile: () => Promise<T>,
): Promise<T> {
  return withTables(t, async (tables, admin) => {
    await admin.query(`BEGIN; LOCK TABLE ${tables.join(", ")} IN EXCLUSIVE MODE`);
    const result = await meanwhile();
    await admin.query("COMMIT");
    return result;
  });
}

/**
 * One round for each table that the submission made: while it can't be written, both calls are begun and
 * get as far as they can, each to a place of its own inside of what may be one message. Then it can.
 */
export async function atEachTable(
  t: HookContext,
  round: (interleave: Interleave) => Promise<void>,
): Promise<void> {
  await withTables(t, async (tables, admin) => {
    for (const name of tables) {
      await round(async (call, meanwhile) => {
        await admin.query(`BEGIN; LOCK TABLE ${name} IN EXCLUSIVE MODE`);
        const first = call();
        await Promise.race([Promise.allSettled([first]), wait(LOCKED_MS)]);
        const second = meanwhile();
        await Promise.race([Promise.allSettled([second]), wait(LOCKED_MS)]);
        await admin.query("COMMIT");
        return Promise.allSettled([first, second]);
      });
    }
  });
}

/** Has `work` do something with the tables that the submission made, as one who may do everything. */
async function withTables<T>(
  t: HookContext,
  work: (tables: readonly string[], admin: pg.Client) => Promise<T>,
): Promise<T> {
  const admin = new pg.Client({ connectionString: t.lease("postgres").adminUrl });
  await admin.connect();
  try {
    const { rows } = await admin.query<{ name: string }>(
      `SELECT oid::regclass::text AS name FROM pg_class
       WHERE relkind = 'r' AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
       ORDER BY 1 LIMIT $1`,
      [MOST_MESSAGES],
    );
    return await work(
      rows.map(({ name }) => name),
      admin,
    );
  } finally {
    await admin.end();
  }
}
