/**
 * What statements really take, with this or that of what was built. Everything runs in transactions that are
 * rolled back, so that writes can be measured like reads.
 *
 * Times of a plan are kept: with another set of indexes that leads to the same plan, a statement does the same
 * work, and a second measurement would only tell how noisy the machine is. What is to be compared runs in
 * turns, so that a busy moment hits all alike.
 */
import { Deadline, type Session } from "./database.ts";
import { Plans } from "./measure/plans.ts";
import { noRuns, Runner, type Runs, type Task } from "./measure/runs.ts";
import { between, type Part, type Timing, timingOf } from "./measure/timing.ts";
import type { Candidate, Query } from "./model.ts";
import { type Explained, signatureOf } from "./plan.ts";
import { type Builds, keyOf } from "./whatif/builds.ts";

export interface BenchOptions {
  readonly repetitions: number;
  readonly deadline: Deadline;
  readonly signal: AbortSignal;
  /** `schema.table` of foreign keys' children and the like: whose indexes make writes to a table faster, unseen by EXPLAIN. */
  readonly behind: (query: Query) => ReadonlySet<string>;
}

export interface MeasureOptions {
  /** Of the time that is left, 0 … 1. Default: all. */
  readonly share?: number;
  /** What is new is stopped when it takes this many times as long as here, by query. Default: it may take as long as there is time. */
  readonly within?: { readonly timings: readonly Timing[]; readonly times: number };
}

/** What isn't slow may take a multiple of it that is no news: in milliseconds. */
const LEAST_WITHIN_MS = 200;

/** Live: it measures on the session that it was given. */
export class Bench {
  readonly #builds: Builds;
  readonly #options: BenchOptions;
  readonly #plans: Plans;
  readonly #runner: Runner;
  readonly #runs = new Map<string, Runs>();

  constructor(session: Session, builds: Builds, options: BenchOptions) {
    this.#builds = builds;
    this.#options = options;
    this.#plans = new Plans(session, builds);
    this.#runner = new Runner(session, builds);
  }

  /** @param sets all of them built @returns by set, by query */
  async measure(
    queries: readonly Query[],
    sets: readonly (readonly Candidate[])[],
    { share = 1, within }: MeasureOptions = {},
  ): Promise<readonly (readonly Timing[])[]> {
    const plans: (readonly (readonly Explained[])[])[] = [];
    for (const set of sets) plans.push(await this.#plans.of(queries, set));
    const pending = new Map<readonly Candidate[], Task[]>(sets.map((set) => [set, []]));
    queries.forEach((query, q) => {
      query.instances.forEach(({ sql }, i) => {
        const limitMs = within ? limitOf(within.timings[q]?.parts[i], within.times) : undefined;
        const runs = sets.map((set, s) => {
          const plan = plans[s]?.[q]?.[i];
          return plan && this.#runsOf(this.#keyOf(query, sql, plan, set), limitMs);
        });
        const distinct = [...new Set(runs)].filter((one) => one !== undefined);
        for (const one of distinct) {
          const s = runs.indexOf(one);
          pending.get(sets[s] ?? [])?.push({
            sql,
            runs: one,
            writes: query.kind !== "select",
            cost: plans[s]?.[q]?.[i]?.Plan["Total Cost"] ?? 0,
            limitMs: limitMs ?? Number.POSITIVE_INFINITY,
            rivals: distinct.filter((other) => other !== one),
          });
        }
      });
    });
    const { deadline } = this.#options;
    const until = new Deadline(deadline.share(share));
    await this.#runner.run(pending, { ...this.#options, until });
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
    const plans = await this.#plans.of(queries, set);
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

  /** What was stopped earlier than now wanted is begun anew. */
  #runsOf(key: string, limitMs: number | undefined): Runs {
    const known = this.#runs.get(key);
    const isCut = known?.failure?.stopped && limitMs !== undefined && limitMs > known.limitMs;
    if (known && !isCut) return known;
    const runs = noRuns();
    this.#runs.set(key, runs);
    return runs;
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
    const trials = query.instances.flatMap(({ sql, share }, i) => {
      const planned = plans[i];
      if (planned === undefined) return [];
      const signature = this.#keyOf(query, sql, planned, set);
      return [{ share, planned, signature, runs: this.#runs.get(signature) ?? noRuns() }];
    });
    return timingOf(trials, this.#builds.names);
  }
}

/** What was stopped itself says nothing beyond the moment when it was. */
function limitOf(part: Part | undefined, times: number): number | undefined {
  if (part === undefined) return undefined;
  return part.isStopped ? part.medianMs : Math.max(LEAST_WITHIN_MS, times * part.medianMs);
}
