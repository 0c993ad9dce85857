/** Runs of statements, in turns, for as long as they tell anything new. */
import type { Deadline, Session } from "../database.ts";
import { isConnectionLoss, messageOf, sqlState } from "../errors.ts";
import type { Candidate } from "../model.ts";
import { type Explained, explainedOf, writesOf } from "../plan.ts";
import type { Builds } from "../whatif/builds.ts";

/** What all runs of one plan may take together, in milliseconds: noise is small beside what takes long. */
const ENOUGH_MS = 300;
/** From here on, in milliseconds, caches that are still cold are no matter: one run is enough. */
const SLOW_MS = 1_000;
/** The same for a statement that has run before, with another plan: the rows that it wants are in memory. */
const WARM_MS = 50;
/** Below, in milliseconds, a run costs nothing, and a median of more is steadier. */
const FAST_MS = 2;
const MORE_RUNS = 3;
/** Runs that take less than this together, in milliseconds, are not worth saving. */
const CHEAP_MS = 20;
/** Of two plans that are so far apart, one run of each says which is the faster: no busy moment makes that much. */
const CLEAR = 4;
/** The same after two runs of each. */
const CLEAR_TWICE = 2;
/** The shortest limit for one run, in milliseconds, unless so many are to run that there is no time for it. */
const LEAST_LIMIT_MS = 100;
/** So many times as long as the first one may a later run take. */
const AGAIN = 4;
/** Of a table's rows, how many may be dead before they are removed. */
const DEAD_SHARE = 0.05;
/** How often it is tried to undo a run. */
const MOST_TRIES = 5;
/** Of the time that is left, what one run may take. */
const RUN_SHARE = 0.25;

export interface Failure {
  readonly stopped: boolean;
  /** What the server said. */
  readonly why: string;
}

/** The runs of one text with one plan. */
export interface Runs {
  readonly ms: number[];
  plan: Explained | undefined;
  failure: Failure | undefined;
  /** What the first run had to read into memory, later ones find there. */
  isWarm: boolean;
  /** Under which it was stopped, in milliseconds. */
  limitMs: number;
}

export interface Task {
  readonly sql: string;
  /** It writes: what it has done must be undone before it runs again. */
  readonly writes: boolean;
  /** The planner's. */
  readonly cost: number;
  readonly runs: Runs;
  /** In milliseconds: beyond, how much longer it takes is of no interest. */
  readonly limitMs: number;
  /** Those of the same text with other sets. */
  readonly rivals: readonly Runs[];
}

export interface RunOptions {
  readonly repetitions: number;
  /** Of the whole call. */
  readonly deadline: Deadline;
  /** For these runs. */
  readonly until: Deadline;
  readonly signal: AbortSignal;
}

export function noRuns(): Runs {
  return { ms: [], plan: undefined, failure: undefined, isWarm: false, limitMs: 0 };
}

/** Live: it runs statements on the session that it was given. */
export class Runner {
  readonly #session: Session;
  readonly #builds: Builds;
  /** Texts that ran. */
  readonly #ran = new Set<string>();
  /** Rows that were written and are dead since, by table as plans name it. */
  readonly #dead = new Map<string, number>();

  constructor(session: Session, builds: Builds) {
    this.#session = session;
    this.#builds = builds;
  }

  /** Each at least once, with a limit that leaves time for the others. @param pending by set */
  async run(
    pending: ReadonlyMap<readonly Candidate[], readonly Task[]>,
    { repetitions, deadline, until, signal }: RunOptions,
  ): Promise<void> {
    for (let round = 0; ; round++) {
      let hasRun = false;
      let left = [...pending.values()].flat().filter((task) => isOpen(task, repetitions)).length;
      for (const [set, tasks] of pending) {
        const open = tasks.filter((task) => isOpen(task, repetitions));
        if (open.length === 0 || (round > 0 && until.over)) continue;
        signal.throwIfAborted();
        hasRun = true;
        await this.#builds.among(set, async () => {
          for (const task of inOrder(open)) {
            if (round > 0 && until.over) break;
            const others = Math.max(left--, 1);
            const share = until.share(Math.max(RUN_SHARE, 1 / others));
            // Many statements that all take longer than the call must not take all of its time together.
            const even = Math.min(LEAST_LIMIT_MS, deadline.share(RUN_SHARE / others));
            // What ran once is let run again, or its second run would say less than the first.
            const least = Math.max(even, AGAIN * (task.runs.ms[0] ?? 0));
            await this.#runOnce(task, Math.max(least, Math.min(task.limitMs, share)));
          }
        });
      }
      if (!hasRun) return;
      await this.#tidyUp();
    }
  }

  /** Dead rows make whoever reads the table slower, and its pages are no longer known to be visible to all. */
  async #tidyUp(): Promise<void> {
    for (const [table, dead] of this.#dead) {
      const { rows } = await this.#session.client.query<{ name: string }>(
        `SELECT format('%I.%I', n.nspname, c.relname) AS name
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relname = $1 AND c.relkind IN ('r', 'p') AND $2 > $3 * c.reltuples
           AND pg_has_role(c.relowner, 'USAGE')`,
        [table, dead, DEAD_SHARE],
      );
      if (rows.length === 0) continue;
      await this.#session.client.query(`VACUUM ${rows.map(({ name }) => name).join(", ")}`);
      this.#dead.delete(table);
    }
  }

  async #runOnce({ sql, writes, runs }: Task, limitMs: number): Promise<void> {
    const { client } = this.#session;
    const [first] = runs.ms;
    const isFirst = first === undefined;
    if (!isFirst && !runs.isWarm) {
      runs.ms.shift();
      runs.isWarm = true;
    }
    const times = first !== undefined && first < FAST_MS ? MORE_RUNS : 1;
    await client.query(`SET LOCAL statement_timeout = ${Math.round(limitMs)}; SAVEPOINT run`);
    try {
      for (let i = 0; i < times; i++) {
        const { rows } = await client.query(
          `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ${sql}`,
        );
        runs.plan = explainedOf(rows);
        runs.ms.push(runs.plan["Execution Time"] ?? 0);
        for (const { table, rows } of writesOf(runs.plan)) {
          this.#dead.set(table, (this.#dead.get(table) ?? 0) + rows);
        }
        if (writes && i < times - 1) await this.#goBack();
      }
    } catch (error) {
      if (isConnectionLoss(error)) throw error;
      // What fails by itself fails with each set alike; what was stopped takes that long at least.
      const stopped = sqlState(error) === "57014";
      if (isFirst || !stopped) runs.failure = { stopped, why: messageOf(error) };
      runs.limitMs = limitMs;
      runs.ms.push(stopped ? limitMs : 0);
    }
    if (isFirst) {
      const ms = runs.ms[0] ?? 0;
      runs.isWarm = ms >= SLOW_MS || (ms >= WARM_MS && this.#ran.has(sql));
    }
    this.#ran.add(sql);
    await this.#goBack();
  }

  /** The run's own limit holds for this, too, and on a busy machine a short one may be over at once. */
  async #goBack(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#session.client.query("ROLLBACK TO SAVEPOINT run");
        return;
      } catch (error) {
        if (sqlState(error) !== "57014" || tries === MOST_TRIES) throw error;
      }
    }
  }
}

/** What writes leaves dead rows behind, which those that read have to pass: so it comes last. */
function inOrder(tasks: readonly Task[]): readonly Task[] {
  return tasks.toSorted((a, b) => Number(a.writes) - Number(b.writes) || a.cost - b.cost);
}

function isOpen({ runs, rivals }: Task, repetitions: number): boolean {
  const { ms, failure, isWarm } = runs;
  if (ms.length === 0) return true;
  if (failure !== undefined) return false;
  if (!isWarm) return true;
  const [first = 0] = ms;
  const took = ms.reduce((sum, one) => sum + one, 0);
  const most = first < FAST_MS ? repetitions * MORE_RUNS : repetitions;
  if (ms.length >= most || took >= ENOUGH_MS) return false;
  return took < CHEAP_MS || rivals.some((rival) => !isClear(runs, rival));
}

function isClear(a: Runs, b: Runs): boolean {
  if (b.ms.length === 0) return false;
  const [one, other] = [Math.min(...a.ms), Math.min(...b.ms)];
  const times = Math.min(a.ms.length, b.ms.length) > 1 ? CLEAR_TWICE : CLEAR;
  return b.failure !== undefined || Math.max(one, other) >= times * Math.min(one, other);
}
