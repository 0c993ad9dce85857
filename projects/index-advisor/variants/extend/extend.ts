/**
 * Task 3: Extend (Schlosser, Kossmann, Boissier: "Efficient Scalable Multi-Attribute Index Selection Using
 * Recursive Strategies", ICDE 2019). From nothing on, each step makes a new index or appends a column to a
 * chosen one, whichever saves most for each byte, until nothing saves or nothing fits.
 *
 * Two things are more than in the paper: a step may bring several columns or indexes at once where one of them
 * saves nothing alone (an order behind an equality, the arms of an OR), and at the end a swap may undo what the
 * best ratio has spoiled.
 */
import type { Candidate, Candidates } from "./candidates.ts";
import type { Deadline } from "./connections.ts";
import type { Query } from "./queries.ts";
import { begins } from "./sql.ts";
import type { WhatIf } from "./whatif.ts";
import type { WriteCosts } from "./writes.ts";

/** By so much at least a step must make one statement cheaper: less is within the planner's error. */
const WORTH = 0.1;
const PAGE = 8192;
/** Of the call's time. The rest is for building and measuring. */
const TIME_SHARE = 0.5;

export interface Limits {
  readonly budgetBytes: number;
  /** Real ones where there is a budget; else an estimate will do. */
  readonly bytes: (index: Candidate) => Promise<number | undefined>;
  readonly banned: ReadonlyMap<string, string>;
  readonly deadline: Deadline;
}

interface Step {
  readonly set: readonly Candidate[];
  readonly saved: number;
  readonly bytes: number;
}

export class Extend {
  readonly #queries: readonly Query[];
  readonly #candidates: Candidates;
  readonly #whatIf: WhatIf;
  readonly #writes: WriteCosts;
  readonly #limits: Limits;

  constructor(
    queries: readonly Query[],
    candidates: Candidates,
    whatIf: WhatIf,
    writes: WriteCosts,
    limits: Limits,
  ) {
    this.#queries = queries;
    this.#candidates = candidates;
    this.#whatIf = whatIf;
    this.#writes = writes;
    this.#limits = limits;
  }

  async chosen(): Promise<readonly Candidate[]> {
    let set: readonly Candidate[] = [];
    for (;;) {
      const step = await this.#best(set, this.#steps(set));
      if (!step) break;
      set = step.set;
    }
    set = await this.#withoutIdle(set);
    for (let round = 0; round < 3; round++) {
      const swap = await this.#best(set, this.#swaps(set), (step) => step.saved);
      if (!swap) break;
      set = await this.#withoutIdle(swap.set);
    }
    return set;
  }

  #steps(set: readonly Candidate[]): (readonly Candidate[])[] {
    const added = this.#candidates.steps.map((step) => joined(set, step));
    const extended = set.flatMap((index) =>
      this.#candidates.extensions(index).map((longer) =>
        joined(
          set.filter((other) => other !== index),
          [longer],
        ),
      ),
    );
    return [...added, ...extended];
  }

  /** One out, one in; only a budget makes that necessary. */
  #swaps(set: readonly Candidate[]): (readonly Candidate[])[] {
    if (this.#limits.budgetBytes === Number.POSITIVE_INFINITY) return [];
    return set.flatMap((index) => {
      const rest = set.filter((other) => other !== index);
      return this.#candidates.steps.map((step) => joined(rest, step));
    });
  }

  async #best(
    set: readonly Candidate[],
    next: readonly (readonly Candidate[])[],
    worth: (step: Step) => number = ({ saved, bytes }) => saved / Math.max(PAGE, bytes),
  ): Promise<Step | undefined> {
    let best: Step | undefined;
    const before = await this.#bytes(set);
    for (const after of next) {
      if (this.#limits.deadline.past(TIME_SHARE)) break;
      if (after.some(({ id }) => this.#limits.banned.has(id))) continue;
      if (sameSet(set, after)) continue;
      const saved = await this.#saved(set, after);
      if (saved <= 0) continue;
      const bytes = await this.#bytes(after);
      if (before === undefined || bytes === undefined || bytes > this.#limits.budgetBytes) continue;
      const step = { set: after, saved, bytes: bytes - before };
      if (!best || worth(step) > worth(best)) best = step;
    }
    return best;
  }

  /** Calls × cost, in the planner's units, of which a block is about one. 0 where no statement gains enough. */
  async #saved(before: readonly Candidate[], after: readonly Candidate[]): Promise<number> {
    let saved = 0;
    let worth = false;
    const changed = new Set(
      [...before, ...after]
        .filter((index) => !(before.includes(index) && after.includes(index)))
        .map(({ table }) => table),
    );
    for (const query of this.#queries) {
      const written = this.#writes.of(query, before) - this.#writes.of(query, after);
      const reads = [...query.tables].some((table) => changed.has(table));
      if (!reads && written === 0) continue;
      const old = await this.#whatIf.cost(query, before);
      const gain = old - (await this.#whatIf.cost(query, after));
      saved += query.calls * (gain + written);
      if (gain > WORTH * old || written > WORTH * old) worth = true;
    }
    return worth ? saved : 0;
  }

  /** What became idle because a later step does its work, or costs writers more than it saves. */
  async #withoutIdle(set: readonly Candidate[]): Promise<readonly Candidate[]> {
    let kept = set;
    for (const index of set) {
      const rest = kept.filter((other) => other !== index);
      let lost = 0;
      for (const query of this.#queries) {
        const worse =
          (await this.#whatIf.cost(query, rest)) - (await this.#whatIf.cost(query, kept));
        lost += query.calls * (worse + this.#writes.of(query, rest) - this.#writes.of(query, kept));
      }
      if (lost <= 0) kept = rest;
    }
    return kept;
  }

  async #bytes(set: readonly Candidate[]): Promise<number | undefined> {
    let sum = 0;
    for (const index of set) {
      const bytes = await this.#limits.bytes(index);
      if (bytes === undefined) return undefined;
      sum += bytes;
    }
    return sum;
  }
}

/** Without what another one of them begins with: that can do the same. */
function joined(set: readonly Candidate[], more: readonly Candidate[]): readonly Candidate[] {
  const all = [...new Map([...set, ...more].map((index) => [index.id, index])).values()];
  return all.filter((index) => !all.some((other) => other !== index && isPrefix(index, other)));
}

function isPrefix(short: Candidate, long: Candidate): boolean {
  const keys = ({ parts }: Candidate) => parts.map(({ sql }) => sql);
  return (
    short.table === long.table && short.method === long.method && begins(keys(short), keys(long))
  );
}

const sameSet = (a: readonly Candidate[], b: readonly Candidate[]): boolean =>
  a.length === b.length && a.every((index) => b.some(({ id }) => id === index.id));
