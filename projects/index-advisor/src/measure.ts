/**
 * What statements really take, with this or that of what was built. Everything runs in transactions that are
 * rolled back, so that writes can be measured like reads.
 *
 * Times of a plan are kept: with another set of indexes that leads to the same plan, a statement does the same
 * work, and a second measurement would only tell how noisy the machine is. What is to be compared runs in
 * turns, so that a busy moment hits all alike.
 */
import type { Deadline, Session } from "./database.ts";
import { isConnectionLoss, messageOf, sqlState } from "./errors.ts";
import type { Candidate, Query } from "./model.ts";
import {
  blocksOf,
  type Explained,
  explainedOf,
  indexesOf,
  rowsWritten,
  signatureOf,
} from "./plan.ts";
import { type Builds, keyOf } from "./whatif/builds.ts";
import { relevantTo } from "./whatif/relevance.ts";

/** What all runs of one plan may take together, in milliseconds: noise is small beside what takes long. */
const ENOUGH_MS = 300;
/** From here on, in milliseconds, caches that are still cold are no matter: one run is enough. */
const SLOW_MS = 1_000;
/** Below, in milliseconds, a run costs nothing, and a median of more is steadier. */
const FAST_MS = 2;
const MORE_RUNS = 3;
/** The longest that one run may take, in milliseconds. What takes longer counts as if it took that. */
const MOST_MS = 10_000;

/** One query with one set. */
export interface Timing {
  readonly medianMs: number;
  readonly runsMs: readonly number[];
  /** Median distance of the runs from the median, in milliseconds. */
  readonly spreadMs: number;
  readonly blocks: number;
  readonly cost: number;
  readonly rowsWritten: number;
  /** EXPLAIN's JSON of the instance that takes most of the time. */
  readonly plan: Explained;
  /** Keys of the candidates that its plans have. */
  readonly uses: ReadonlySet<string>;
  /** It was stopped, and takes `medianMs` at least; or it fails. */
  readonly failure: Failure | undefined;
  /** The same for the same work. */
  readonly signature: string;
  /** By instance, in the query's order. */
  readonly parts: readonly Part[];
}

/** One instance of a query, with one set. */
export interface Part {
  /** Of the calls, 0 … 1. */
  readonly share: number;
  readonly medianMs: number;
  /** Of the quickest run, in milliseconds: what a busy machine adds to a run is never negative. */
  readonly quickestMs: number;
  readonly blocks: number;
  /** How often it ran. */
  readonly runs: number;
  readonly signature: string;
}

export interface Failure {
  readonly stopped: boolean;
  /** What the server said. */
  readonly why: string;
}

/** The runs of one text with one plan. */
interface Runs {
  readonly ms: number[];
  plan: Explained | undefined;
  failure: Failure | undefined;
}

interface Task {
  readonly sql: string;
  /** What it has done must be undone before it runs again. */
  readonly writes: boolean;
  readonly runs: Runs;
}

export interface MeasureOptions {
  readonly repetitions: number;
  readonly deadline: Deadline;
  readonly signal: AbortSignal;
  /** `schema.table` of foreign keys' children and the like: whose indexes make writes to a table faster, unseen by EXPLAIN. */
  readonly behind: (query: Query) => ReadonlySet<string>;
}

/** Live: it measures on the session that it was given. */
export class Bench {
  readonly #session: Session;
  readonly #builds: Builds;
  readonly #options: MeasureOptions;
  readonly #runs = new Map<string, Runs>();
  readonly #signatures = new Map<string, Explained>();

  constructor(session: Session, builds: Builds, options: MeasureOptions) {
    this.#session = session;
    this.#builds = builds;
    this.#options = options;
  }

  /** @param sets all of them built @returns by set, by query */
  async measure(
    queries: readonly Query[],
    sets: readonly (readonly Candidate[])[],
  ): Promise<readonly (readonly Timing[])[]> {
    const plans: Explained[][][] = [];
    const pending = new Map<readonly Candidate[], Task[]>();
    for (const set of sets) {
      plans.push(await this.#plans(queries, set));
    }
    sets.forEach((set, s) => {
      const tasks: Task[] = [];
      queries.forEach((query, q) => {
        query.instances.forEach(({ sql }, i) => {
          const plan = plans[s]?.[q]?.[i];
          if (plan === undefined) return;
          const key = this.#keyOf(query, sql, plan, set);
          if (this.#runs.has(key)) return;
          const runs: Runs = { ms: [], plan: undefined, failure: undefined };
          this.#runs.set(key, runs);
          tasks.push({ sql, runs, writes: query.kind !== "select" });
        });
      });
      pending.set(set, tasks);
    });
    await this.#run(pending);
    return sets.map((set, s) =>
      queries.map((query, q) => this.#timing(query, set, plans[s]?.[q] ?? [])),
    );
  }

  /**
   * What `measure` would say, without a run: by the planner's costs between two sets that were measured, `before`
   * and `after`. What has run already counts as it was measured.
   */
  async reckon(
    queries: readonly Query[],
    set: readonly Candidate[],
    before: readonly Timing[],
    after: readonly Timing[],
  ): Promise<readonly Timing[]> {
    const plans = await this.#plans(queries, set);
    return queries.flatMap((query, q) => {
      const [was, is, planned] = [before[q], after[q], plans[q] ?? []];
      if (was === undefined || is === undefined) return [];
      const keys = query.instances.map(({ sql }, i) => {
        const plan = planned[i];
        return plan ? this.#keyOf(query, sql, plan, set) : "";
      });
      if (keys.every((key) => this.#runs.has(key))) return [this.#timing(query, set, planned)];
      const cost = query.instances.reduce(
        (sum, { share }, i) => sum + share * (planned[i]?.Plan["Total Cost"] ?? 0),
        0,
      );
      const way = was.cost > is.cost ? (cost - is.cost) / (was.cost - is.cost) : 1;
      return [between(is, was, Math.min(1, Math.max(0, way)), keys)];
    });
  }

  /** Plans that are the same need no second run: so what is asked of the planner is only what could have changed. */
  async #plans(queries: readonly Query[], set: readonly Candidate[]): Promise<Explained[][]> {
    const result: Explained[][] = queries.map(() => []);
    const unknown: { readonly sql: string; readonly key: string; put(plan: Explained): void }[] =
      [];
    queries.forEach((query, q) => {
      const seen = relevantTo(query, set).map(keyOf).toSorted().join("\n");
      query.instances.forEach(({ sql }, i) => {
        const key = `${sql}\n${seen}`;
        const put = (plan: Explained) => {
          const row = result[q];
          if (row) row[i] = plan;
        };
        const known = this.#signatures.get(key);
        if (known) put(known);
        else unknown.push({ sql, key, put });
      });
    });
    if (unknown.length === 0) return result;
    await this.#builds.among(set, async () => {
      // Plain EXPLAIN would plan with what the same session has pretended, too.
      await this.#session.client.query("SET LOCAL hypopg.enabled = off");
      for (const { sql, key, put } of unknown) {
        const { rows } = await this.#session.client.query(`EXPLAIN (FORMAT JSON) ${sql}`);
        const plan = explainedOf(rows);
        this.#signatures.set(key, plan);
        put(plan);
      }
    });
    return result;
  }

  async #run(pending: ReadonlyMap<readonly Candidate[], Task[]>): Promise<void> {
    for (let round = 0; round <= this.#options.repetitions; round++) {
      for (const [set, tasks] of pending) {
        const open = tasks.filter(({ runs }) => isOpen(runs, round));
        if (open.length === 0) continue;
        if (round > 1 && this.#options.deadline.over) return;
        this.#options.signal.throwIfAborted();
        await this.#builds.among(set, async () => {
          for (const task of open) await this.#runOften(task, round);
        });
      }
    }
  }

  async #runOften({ sql, writes, runs }: Task, round: number): Promise<void> {
    const { client } = this.#session;
    const first = runs.ms[0];
    const times = round > 0 && first !== undefined && first < FAST_MS ? MORE_RUNS : 1;
    if (round === 1 && first !== undefined) runs.ms.shift();
    const limit = Math.min(MOST_MS, this.#options.deadline.share(0.25, 100));
    await client.query(`SET LOCAL statement_timeout = ${limit}; SAVEPOINT run`);
    try {
      for (let i = 0; i < times; i++) {
        const { rows } = await client.query(
          `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ${sql}`,
        );
        runs.plan = explainedOf(rows);
        runs.ms.push(runs.plan["Execution Time"] ?? 0);
        if (writes && i < times - 1) await client.query("ROLLBACK TO SAVEPOINT run");
      }
    } catch (error) {
      if (isConnectionLoss(error)) throw error;
      // What fails by itself fails with each set alike; what was stopped takes that long at least.
      const stopped = sqlState(error) === "57014";
      runs.failure = { stopped, why: messageOf(error) };
      runs.ms.push(stopped ? limit : 0);
    }
    await client.query("ROLLBACK TO SAVEPOINT run");
  }

  #keyOf(query: Query, sql: string, plan: Explained, set: readonly Candidate[]): string {
    const behind = this.#options.behind(query);
    const unseen = set
      .filter(({ index }) => behind.has(`${index.schema}.${index.table}`))
      .map(keyOf)
      .toSorted();
    return [sql, signatureOf(plan), ...unseen].join("\n");
  }

  #timing(query: Query, set: readonly Candidate[], plans: readonly Explained[]): Timing {
    const names = new Map(this.#builds.all.map(({ name, candidate }) => [name, keyOf(candidate)]));
    const parts = query.instances.flatMap(({ sql, share }, i) => {
      const planned = plans[i];
      if (planned === undefined) return [];
      const key = this.#keyOf(query, sql, planned, set);
      const runs = this.#runs.get(key) ?? { ms: [0], plan: undefined, failure: undefined };
      return [{ share, planned, key, runs, medianMs: median(runs.ms) }];
    });
    const sum = (of: (part: (typeof parts)[number]) => number) =>
      parts.reduce((total, part) => total + part.share * of(part), 0);
    const longest = Math.min(...parts.map(({ runs }) => runs.ms.length));
    const heaviest = parts.toSorted((a, b) => b.share * b.medianMs - a.share * a.medianMs)[0];
    const used = parts.flatMap(({ planned }) => [...indexesOf(planned)]);
    const runsMs = Array.from({ length: longest }, (_, r) => sum(({ runs }) => runs.ms[r] ?? 0));
    const shown = heaviest?.runs.plan ?? heaviest?.planned;
    if (shown === undefined) throw new RangeError("A query without an instance can't be measured.");
    return {
      medianMs: sum(({ medianMs }) => medianMs),
      runsMs,
      spreadMs: sum(({ runs, medianMs }) => median(runs.ms.map((ms) => Math.abs(ms - medianMs)))),
      blocks: sum(({ runs }) => (runs.plan ? blocksOf(runs.plan) : 0)),
      cost: sum(({ planned }) => planned.Plan["Total Cost"]),
      rowsWritten: sum(({ runs, planned }) => rowsWritten(runs.plan ?? planned)),
      plan: shown,
      uses: new Set(used.map((name) => names.get(name)).filter((key) => key !== undefined)),
      failure: parts.map(({ runs }) => runs.failure).find((failure) => failure !== undefined),
      signature: parts.map(({ key }) => key).join("\n"),
      parts: parts.map(({ share, medianMs, runs, key }) => ({
        share,
        medianMs,
        quickestMs: Math.min(...runs.ms),
        blocks: runs.plan ? blocksOf(runs.plan) : 0,
        runs: runs.ms.length,
        signature: key,
      })),
    };
  }
}

/** @param way 0 is `from`, 1 is `to` @param keys signatures of its parts */
function between(from: Timing, to: Timing, way: number, keys: readonly string[]): Timing {
  const mix = (a: number, b: number) => a + way * (b - a);
  return {
    ...from,
    medianMs: mix(from.medianMs, to.medianMs),
    signature: keys.join("\n"),
    parts: from.parts.map((part, i) => {
      const other = to.parts[i] ?? part;
      return {
        ...part,
        medianMs: mix(part.medianMs, other.medianMs),
        quickestMs: mix(part.quickestMs, other.quickestMs),
        blocks: mix(part.blocks, other.blocks),
        signature: keys[i] ?? part.signature,
      };
    }),
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

/** The first run warms caches up, and counts only where no other follows. */
function isOpen({ ms, failure }: Runs, round: number): boolean {
  if (round === 0 || ms.length === 0) return ms.length === 0;
  if (failure !== undefined) return false;
  if (ms.some((one) => one >= SLOW_MS)) return false;
  return round === 1 || ms.reduce((sum, one) => sum + one, 0) < ENOUGH_MS;
}
