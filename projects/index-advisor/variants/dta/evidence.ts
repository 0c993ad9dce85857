/** Task 4: what each statement takes without the set and with it, by the clock. */
import type { CreateIndex, Evidence } from "../../contract.ts";
import type { Builder, Candidate } from "./built.ts";
import type { Binding, Copy } from "./copy.ts";
import { isRefusal } from "./databases.ts";
import { createSql } from "./definitions.ts";
import { concerns, type Prices, qualifiedNames } from "./prices.ts";
import type { Query } from "./queries.ts";

export interface Figures {
  readonly create: readonly CreateIndex[];
  readonly beforeMs: number;
  readonly afterMs: number;
}

/** So often a statement is timed with each set of values, and no more once that took so many milliseconds. */
const RUNS = 3;
const ENOUGH_MS = 40;
/** How often all is measured again before an index is left out for its figures. */
const DOUBTS = 2;
/** What takes longer is not waited for twice: then the first time, with whatever had to be read, is the figure. */
const SLOW_MS = 500;

/**
 * What didn't help by the clock leaves the set, and the others are measured again without it. After `until`, by
 * `Date.now()`, the figures are those that were measured on the way, once each.
 */
export async function measured(
  copy: Copy,
  queries: readonly Query[],
  prices: Prices,
  builder: Builder,
  set: readonly Candidate[],
  until: number,
): Promise<Figures> {
  const own = queries.filter(({ hidden }) => !hidden);
  const timedBefore = () =>
    timed(copy, queries, builder.built, async (query, at) => {
      const ms = query.baseline[at]?.ms ?? 0;
      return ms > SLOW_MS || !query.runs || Date.now() > until ? ms : undefined;
    });
  let before = await timedBefore();
  let doubts = 0;
  let kept = set;
  for (;;) {
    const outside = builder.built.filter((candidate) => !kept.includes(candidate));
    const touched = await touchedBy(queries, prices, kept);
    const after = await timed(copy, queries, outside, async (query, at) => {
      if (!touched.has(query.statement)) return before.get(query)?.[at];
      return Date.now() > until ? (await prices.times(query, kept))[at] : undefined;
    });
    const create: CreateIndex[] = [];
    for (const candidate of kept) {
      const evidence = await evidenceOf(candidate, queries, prices, kept, before, after);
      if (evidence.length === 0) continue;
      const { name, definition, sizeBytes } = candidate;
      create.push({ name, sql: createSql(definition, "CONCURRENTLY ", name), sizeBytes, evidence });
    }
    if (create.length === kept.length) {
      const sum = (times: Times) =>
        own.reduce((all, query) => all + query.calls * mean(times.get(query)), 0);
      return { create, beforeMs: sum(before), afterMs: sum(after) };
    }
    // Fewer blocks and more time: more likely somebody else was busy just then.
    if (doubts < DOUBTS && Date.now() < until) {
      doubts += 1;
      before = await timedBefore();
      continue;
    }
    const useful = new Set(create.map(({ name }) => name));
    for (const { name, definition } of kept) {
      if (!useful.has(name)) builder.reject(definition, "it didn't help when it was measured");
    }
    kept = kept.filter(({ name }) => useful.has(name));
  }
}

/** For each set of values, in milliseconds. */
type Times = ReadonlyMap<Query, readonly number[]>;

/** Statements that the set makes any difference to. What has the same plan as before takes the same time. */
async function touchedBy(
  queries: readonly Query[],
  prices: Prices,
  set: readonly Candidate[],
): Promise<Set<number>> {
  const touched = new Set<number>();
  for (const query of queries) {
    const written = set.some(({ definition }) => definition.table === query.writes?.table);
    if (written || (await prices.used(query, set)).size > 0) touched.add(query.statement);
  }
  return touched;
}

/** Times of statements, which have in them what they set off in other tables. */
async function timed(
  copy: Copy,
  queries: readonly Query[],
  absent: readonly Candidate[],
  known: (query: Query, at: number) => Promise<number | undefined>,
): Promise<Times> {
  const times = new Map<Query, readonly number[]>();
  for (const query of queries.filter(({ hidden }) => !hidden)) {
    const parts = queries.filter(({ statement }) => statement === query.statement);
    const without = qualifiedNames(
      absent.filter((candidate) => parts.some((part) => concerns(candidate, part))),
    );
    const all: number[] = [];
    for (const [at, binding] of query.bindings.entries()) {
      all.push((await known(query, at)) ?? (await median(copy, query, binding, without)));
    }
    times.set(query, all);
  }
  return times;
}

function mean(times: readonly number[] = []): number {
  return times.reduce((sum, ms) => sum + ms, 0) / Math.max(1, times.length);
}

async function median(
  copy: Copy,
  query: Query,
  binding: Binding,
  without: readonly string[],
): Promise<number> {
  if (!query.runs) return 0;
  const times: number[] = [];
  let spent = 0;
  for (let run = 0; run < RUNS; run += 1) {
    try {
      const { ms } = await copy.run(query, binding, query.limitMs, { without });
      times.push(ms);
      spent += ms;
      if (spent > ENOUGH_MS) break;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return query.limitMs;
    }
  }
  return times.sort((a, b) => a - b)[times.length >> 1] ?? 0;
}

async function evidenceOf(
  candidate: Candidate,
  queries: readonly Query[],
  prices: Prices,
  set: readonly Candidate[],
  before: Times,
  after: Times,
): Promise<Evidence[]> {
  const served = new Set<number>();
  for (const query of queries) {
    if ((await prices.used(query, set)).has(candidate)) served.add(query.statement);
  }
  const evidence: Evidence[] = [];
  for (const query of before.keys()) {
    const [beforeMs, afterMs] = [mean(before.get(query)), mean(after.get(query))];
    if (served.has(query.statement) && afterMs < beforeMs) {
      evidence.push({ statement: query.statement, beforeMs, afterMs });
    }
  }
  return evidence;
}
