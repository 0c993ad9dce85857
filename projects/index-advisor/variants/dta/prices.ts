/**
 * Task 3: what a statement costs with a set of indexes.
 *
 * The planner is asked which of them it would use, all the others taken away; what that plan costs is not
 * believed but measured, once, in blocks touched, which doesn't depend on what else the machine does.
 *
 * Indexes that a plan doesn't use could not have changed it. So a plan that was chosen from many holds for
 * every choice in between: those that it uses, and any of the others. Few of the sets are ever asked about.
 * (An index on an expression brings statistics along, used or not. So the set that is chosen is measured itself.)
 */

import type { Candidate } from "./built.ts";
import type { Copy } from "./copy.ts";
import { isRefusal } from "./databases.ts";
import { indexesOf, NOTHING, type Run } from "./plans.ts";
import type { Query } from "./queries.ts";

interface Answer {
  readonly from: ReadonlySet<Candidate>;
  readonly uses: ReadonlySet<Candidate>;
  readonly run: Run;
}

/** How many times the blocks of no index at all a plan counts that did not come to its end. */
const ENDLESS = 100;

/** A new entry means to read and to write a leaf, and to come down to it. */
const LEAST_ENTRY = 2;
/** How often a write is run to see what an index costs it. */
const UPKEEP_RUNS = 3;

export class Prices {
  readonly #copy: Copy;
  readonly #candidates: readonly Candidate[];
  readonly #answers = new Map<Query, Answer[][]>();
  readonly #runs = new Map<string, Run>();
  readonly #bare = new Map<Query, Written>();
  readonly #upkeep = new Map<string, number>();

  constructor(copy: Copy, candidates: readonly Candidate[]) {
    this.#copy = copy;
    this.#candidates = candidates;
  }

  /** Σ calls × blocks per call. */
  async workload(queries: readonly Query[], set: readonly Candidate[]): Promise<number> {
    let sum = 0;
    for (const query of queries) sum += query.calls * (await this.perCall(query, set));
    return sum;
  }

  /** Blocks per call: the mean over the sets of values, and what it takes to keep the indexes up. */
  async perCall(query: Query, set: readonly Candidate[]): Promise<number> {
    const relevant = new Set(set.filter((candidate) => concerns(candidate, query)));
    const answers = await this.#ask(query, relevant);
    let blocks = answers.reduce((sum, answer) => sum + answer.run.found, 0) / answers.length;
    for (const candidate of relevant) blocks += await this.#upkeepOf(query, candidate);
    return blocks;
  }

  /** Milliseconds with each set of values, as it was run once to price it. */
  async times(query: Query, set: readonly Candidate[]): Promise<number[]> {
    const relevant = new Set(set.filter((candidate) => concerns(candidate, query)));
    return (await this.#ask(query, relevant)).map(({ run }) => run.ms);
  }

  /** Which of a set the planner uses for a statement, with any of its values. */
  async used(query: Query, set: readonly Candidate[]): Promise<Set<Candidate>> {
    const relevant = new Set(set.filter((candidate) => concerns(candidate, query)));
    const answers = await this.#ask(query, relevant);
    return new Set(answers.flatMap(({ uses }) => [...uses]));
  }

  /**
   * Of what isn't in the set, only what the planner would use is taken away: what it leaves alone in the company
   * of all the others, it leaves alone anyway, and the answer holds for more sets.
   */
  async #ask(query: Query, set: ReadonlySet<Candidate>): Promise<readonly Answer[]> {
    const known = this.#answers.get(query) ?? query.bindings.map(() => []);
    this.#answers.set(query, known);
    for (;;) {
      const answers = known.map((list) => list.find((answer) => holds(answer, set)));
      if (answers.every((answer) => answer !== undefined)) return answers;
      const used = new Set(known.flat().flatMap(({ uses }) => [...uses]));
      const from = this.#on(query).filter(
        (candidate) => set.has(candidate) || !used.has(candidate),
      );
      await this.#askPlanner(query, from, known);
    }
  }

  async #askPlanner(
    query: Query,
    from: readonly Candidate[],
    known: readonly Answer[][],
  ): Promise<void> {
    const without = qualifiedNames(
      this.#on(query).filter((candidate) => !from.includes(candidate)),
    );
    const plans = await this.#copy.plans(query, query.bindings, { without });
    for (const [at, plan] of plans.entries()) {
      const names = indexesOf(plan);
      const uses = new Set(from.filter(({ name }) => names.has(name)));
      const id = `${query.name} ${at} ${JSON.stringify(plan)}`;
      const run = this.#runs.get(id) ?? (await this.#measured(query, at, without, uses.size === 0));
      this.#runs.set(id, run);
      known[at]?.push({ from: new Set(from), uses, run });
    }
  }

  async #measured(
    query: Query,
    at: number,
    without: readonly string[],
    asBefore: boolean,
  ): Promise<Run> {
    const binding = query.bindings[at];
    const baseline = query.baseline[at] ?? NOTHING;
    if (!query.runs || binding === undefined || asBefore) return baseline;
    try {
      return await this.#copy.run(query, binding, query.limitMs, { without });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return { ...baseline, found: baseline.found * ENDLESS, ms: query.limitMs };
    }
  }

  /**
   * An index on a column that an UPDATE sets gets a new entry for each row, and so do all others of the table,
   * for the update is no longer heap-only.
   */
  async #upkeepOf(query: Query, candidate: Candidate): Promise<number> {
    const { writes } = query;
    if (writes === undefined || writes.table !== candidate.definition.table) return 0;
    const id = `${query.name} ${candidate.name}`;
    const known = this.#upkeep.get(id);
    if (known !== undefined) return known;
    const bare = this.#bare.get(query) ?? (await this.#written(query, this.#on(query)));
    this.#bare.set(query, bare);
    const kept = await this.#written(
      query,
      this.#on(query).filter((other) => other !== candidate),
    );
    const columns = candidate.definition.parts.flatMap((part) => part.columns);
    const entries =
      writes.verb === "insert" || columns.some((column) => writes.sets.includes(column));
    const least = entries ? LEAST_ENTRY * Math.max(1, kept.rows) : 0;
    const upkeep = Math.max(least, kept.wrote - bare.wrote);
    this.#upkeep.set(id, upkeep);
    return upkeep;
  }

  /** The least of a few runs: pages that fill up are counted with whoever comes last. */
  async #written(query: Query, absent: readonly Candidate[]): Promise<Written> {
    let least = { wrote: Number.POSITIVE_INFINITY, rows: 0 };
    const [binding] = query.bindings;
    if (!query.runs || binding === undefined) return { wrote: 0, rows: 1 };
    for (let run = 0; run < UPKEEP_RUNS; run += 1) {
      try {
        const { wrote, rows } = await this.#copy.run(query, binding, query.limitMs, {
          without: qualifiedNames(absent),
        });
        if (wrote < least.wrote) least = { wrote, rows };
      } catch (error) {
        if (!isRefusal(error)) throw error;
        return { wrote: 0, rows: 1 };
      }
    }
    return least;
  }

  /** Candidates on the tables of a statement. */
  #on(query: Query): readonly Candidate[] {
    return this.#candidates.filter((candidate) => concerns(candidate, query));
  }
}

interface Written {
  readonly wrote: number;
  readonly rows: number;
}

function holds({ from, uses }: Answer, set: ReadonlySet<Candidate>): boolean {
  for (const candidate of uses) if (!set.has(candidate)) return false;
  for (const candidate of set) if (!from.has(candidate)) return false;
  return true;
}

/** Whether they have a table in common. */
export function concerns({ definition }: Candidate, query: Query): boolean {
  return query.tables.has(definition.table);
}

export function qualifiedNames(candidates: readonly Candidate[]): string[] {
  return candidates.map(({ qualified }) => qualified);
}
