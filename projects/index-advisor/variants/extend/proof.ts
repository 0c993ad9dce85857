/** Task 4: the chosen set, built on the copy; what doesn't help when it is there is taken out again. */
import pg from "pg";
import type { Evidence } from "../../contract.ts";
import type { Candidate } from "./candidates.ts";
import type { Deadline } from "./connections.ts";
import type { Lab, Run } from "./lab.ts";
import type { Query } from "./queries.ts";
import { qualified } from "./sql.ts";
import { covers, indexesOf } from "./superfluous.ts";
import type { WriteCosts } from "./writes.ts";

/** By so much at least an index must spare one statement blocks; less is chance. */
const WORTH = 0.1;
/** Statements that take longer are not run a second time, in milliseconds. */
const SLOW_MS = 200;

/** Of the call's time. */
const TIME_SHARE = 0.8;

export interface Measured {
  /** Per call, on average over the statement's texts, like the others. */
  readonly blocks: number;
  readonly ms: number;
  readonly rows: number;
  readonly indexes: ReadonlySet<string>;
}

/** Each text once, and one that stands alone once more, warm. @throws pg.DatabaseError */
export async function measured(lab: Lab, query: Query, limitMs: number): Promise<Measured> {
  const runs: Run[] = [];
  for (const [at, text] of query.texts.entries()) {
    const first = await lab.measured(text, limitMs);
    const again = at === 0 && first.ms < SLOW_MS ? await lab.measured(text, limitMs) : first;
    runs.push({ ...again, ms: Math.min(first.ms, again.ms) });
  }
  const mean = (what: (run: Run) => number): number =>
    runs.reduce((sum, run) => sum + what(run), 0) / runs.length;
  return {
    blocks: mean(({ blocks }) => blocks),
    ms: mean(({ ms }) => ms),
    rows: mean(({ rows }) => rows),
    indexes: new Set(runs.flatMap(({ indexes }) => [...indexes])),
  };
}

export interface Proven {
  readonly index: Candidate;
  readonly bytes: number;
  readonly evidence: readonly Evidence[];
}

export interface Verdict {
  readonly kept: readonly Proven[];
  readonly refused: ReadonlyMap<Candidate, string>;
  readonly after: ReadonlyMap<Query, Measured>;
}

interface Saving {
  readonly index: Candidate;
  readonly saved: number;
  readonly helped: readonly Query[];
}

export class Proof {
  readonly #lab: Lab;
  readonly #before: ReadonlyMap<Query, Measured>;
  readonly #writes: WriteCosts;
  readonly #limitMs: number;
  readonly #deadline: Deadline;

  constructor(
    lab: Lab,
    before: ReadonlyMap<Query, Measured>,
    writes: WriteCosts,
    limitMs: number,
    deadline: Deadline,
  ) {
    this.#lab = lab;
    this.#before = before;
    this.#writes = writes;
    this.#limitMs = limitMs;
    this.#deadline = deadline;
  }

  /** @returns nothing when the time is up before all of it is proven */
  async of(set: readonly Candidate[]): Promise<Verdict | undefined> {
    return await this.#lab.tried(async () => {
      const refused = new Map<Candidate, string>();
      const built = await this.#built(set, refused);
      for (;;) {
        const there = [...built.keys()];
        const after = await this.#measuredWith(there);
        const savings: Saving[] = [];
        for (const index of there) {
          if (this.#deadline.past(TIME_SHARE)) return undefined;
          savings.push(await this.#saving(index, there, after));
        }
        const vain = savings.filter(({ saved, helped }) => saved <= 0 || helped.length === 0);
        const [worst] = vain.toSorted((a, b) => a.saved - b.saved);
        if (!worst)
          return { refused, after, kept: savings.map((s) => this.#proven(s, built, after)) };
        refused.set(worst.index, "It didn't help when measured: what it saves, others pay for.");
        built.delete(worst.index);
        await this.#lab.drop(worst.index);
      }
    });
  }

  async #built(
    set: readonly Candidate[],
    refused: Map<Candidate, string>,
  ): Promise<Map<Candidate, number>> {
    const built = new Map<Candidate, number>();
    for (const index of set) {
      const bytes = await this.#lab.build(index);
      if (typeof bytes === "string") refused.set(index, `It can't be built: ${bytes}`);
      else built.set(index, bytes);
    }
    const facts = await indexesOf(this.#lab.scratch);
    const ours = new Set([...built.keys()].map(({ name }) => name));
    for (const index of [...built.keys()]) {
      const mine = facts.find(
        ({ name, tableOid }) => name === index.name && tableOid === index.table.oid,
      );
      const other = facts.find(
        (each) => each.valid && !ours.has(each.name) && mine && covers(each, mine),
      );
      if (!other) continue;
      refused.set(index, `${other.schema}.${other.name} is there, and does the same.`);
      built.delete(index);
      await this.#lab.drop(index);
    }
    // Of an expression there are statistics once there is an index on it.
    const computed = [...built.keys()].filter(({ parts }) => parts.some(({ key }) => !key.column));
    for (const table of new Set(computed.map((index) => index.table))) {
      await this.#lab.scratch.run(`ANALYZE ${qualified(table.schema, table.name)}`);
    }
    return built;
  }

  async #measuredWith(set: readonly Candidate[]): Promise<Map<Query, Measured>> {
    const after = new Map<Query, Measured>();
    const names = new Set(set.map(({ name }) => name));
    for (const [query, before] of this.#before) {
      const concerned =
        this.#writes.searchedBy(query).length > 0 || (await this.#usesOne(query, names));
      // The same plan takes the same time; what differs would be chance.
      after.set(query, concerned ? await this.#patiently(query) : before);
    }
    return after;
  }

  async #usesOne(query: Query, names: ReadonlySet<string>): Promise<boolean> {
    for (const text of query.texts) {
      for (const name of await this.#lab.indexesOf(text)) if (names.has(name)) return true;
    }
    return false;
  }

  /** What takes longer than it may has touched more than anything that doesn't. */
  async #patiently(query: Query): Promise<Measured> {
    try {
      return await measured(this.#lab, query, Math.min(this.#limitMs, this.#deadline.leftMs / 2));
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      const blocks = Number.MAX_SAFE_INTEGER;
      return { blocks, ms: this.#limitMs, rows: 1, indexes: new Set() };
    }
  }

  async #saving(
    index: Candidate,
    set: readonly Candidate[],
    after: ReadonlyMap<Query, Measured>,
  ): Promise<Saving> {
    const rest = set.filter((other) => other !== index);
    const users = [...after].filter(([, { indexes }]) => indexes.has(index.name));
    const without = await this.#lab.tried(async () => {
      await this.#lab.drop(index);
      const blocks = new Map<Query, number>();
      for (const [query] of users) blocks.set(query, (await this.#patiently(query)).blocks);
      return blocks;
    });
    let saved = 0;
    const helped: Query[] = [];
    for (const [query, now] of after) {
      const before = without.get(query) ?? now.blocks;
      const searched = this.#writes.of(query, rest) - this.#writes.of(query, set);
      saved += query.calls * (before - now.blocks + searched);
      const faster = now.ms < (this.#before.get(query)?.ms ?? 0);
      if (faster && (before - now.blocks > WORTH * before || searched > 0)) helped.push(query);
    }
    return { index, saved, helped };
  }

  #proven(
    { index, helped }: Saving,
    built: ReadonlyMap<Candidate, number>,
    after: ReadonlyMap<Query, Measured>,
  ): Proven {
    const evidence = helped.map((query) => ({
      statement: query.statement,
      beforeMs: this.#before.get(query)?.ms ?? 0,
      afterMs: after.get(query)?.ms ?? 0,
    }));
    return { index, bytes: built.get(index) ?? 0, evidence };
  }
}
