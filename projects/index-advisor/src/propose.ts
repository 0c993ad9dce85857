/** What is worth being built and measured: what the planner likes as a set, and what it can't see. */
import { type Catalog, findTable } from "./catalog.ts";
import type { Deadline } from "./database.ts";
import type { Timing } from "./measure.ts";
import type { Candidate, Query, Select, WhatIf } from "./model.ts";
import { isPrefix } from "./select/redundancy.ts";
import type { Upkeep } from "./upkeep.ts";
import type { Refusal } from "./validate.ts";
import { BuildFailed, type Builds } from "./whatif/builds.ts";

/** How far a statement's milliseconds per unit of cost may be from the workload's: beyond, one of the two lies. */
const MOST_BIAS = 30;
/** How often the sizes that building has shown may lead to another choice. */
const CHOICES = 4;

/** Of the time that is left, what building for the sake of sizes may take. */
const SIZING_SHARE = 0.2;
/** Likewise, what one choice may take. */
const CHOOSING_SHARE = 0.4;

export interface Proposing {
  readonly deadline: Deadline;
  readonly select: Select;
  readonly queries: readonly Query[];
  /** In the order of `queries`, without any new index. */
  readonly before: readonly Timing[];
  readonly candidates: readonly Candidate[];
  readonly whatIf: WhatIf;
  readonly builds: Builds;
  readonly upkeep: Upkeep;
  readonly budgetBytes: number;
  readonly signal: AbortSignal;
}

export interface Proposal {
  /** All of them built. */
  readonly set: readonly Candidate[];
  readonly refused: readonly Refusal[];
}

/** Chooses by cost, builds, and chooses again where real sizes are others than the estimates. */
export async function propose(from: Proposing): Promise<Proposal> {
  const refused: Refusal[] = [];
  let candidates = from.candidates;
  const build = async (set: readonly Candidate[]) => {
    for (const candidate of set) {
      try {
        await from.builds.build(candidate);
      } catch (error) {
        if (!(error instanceof BuildFailed)) throw error;
        refused.push({ candidate, why: `It can't be built: ${error.message}` });
        candidates = candidates.filter((other) => other !== candidate);
      }
    }
  };
  // An estimate that is far too high would keep out what would fit: so whatever may be chosen gets its real size.
  if (Number.isFinite(from.budgetBytes)) {
    const until = from.deadline.leftMs() * (1 - SIZING_SHARE);
    for (const candidate of await promising(from)) {
      if (from.deadline.leftMs() < until) break;
      await build([candidate]);
    }
  }
  let set: readonly Candidate[] = [];
  for (let i = 0; i < CHOICES; i++) {
    set = await choose(from, candidates);
    const isNew = set.some((candidate) => from.builds.find(candidate) === undefined);
    await build(set);
    if (!isNew) break;
  }
  set = set.filter((candidate) => from.builds.find(candidate) !== undefined);
  const bytes = (all: readonly Candidate[]) =>
    all.reduce((sum, candidate) => sum + (from.builds.find(candidate)?.sizeBytes ?? 0), 0);
  // Sizes that differ each time may never settle.
  while (bytes(set) > from.budgetBytes) set = set.slice(0, -1);
  return { set, refused };
}

/** Those that save something alone, most first. */
async function promising(from: Proposing): Promise<readonly Candidate[]> {
  const { queries, whatIf, candidates, before, deadline } = from;
  const units = unitsOf(queries, before);
  const nothing = await whatIf.costs(queries, []);
  const savings = new Map<Candidate, number>();
  const until = deadline.leftMs() * (1 - SIZING_SHARE);
  for (const candidate of candidates) {
    if (deadline.leftMs() < until) break;
    try {
      const costs = await whatIf.costs(queries, [candidate]);
      const saved = queries.map(
        ({ calls }, q) => calls * (units[q] ?? 0) * ((nothing[q] ?? 0) - (costs[q] ?? 0)),
      );
      savings.set(
        candidate,
        saved.reduce((sum, one) => sum + one, 0),
      );
    } catch (error) {
      // Whoever builds it is told why it can't be.
      if (!(error instanceof BuildFailed)) throw error;
    }
  }
  const saving = (candidate: Candidate) => savings.get(candidate) ?? 0;
  return candidates.filter((c) => saving(c) > 0).toSorted((a, b) => saving(b) - saving(a));
}

function choose(from: Proposing, candidates: readonly Candidate[]): Promise<readonly Candidate[]> {
  const { queries, before, upkeep, whatIf, budgetBytes, signal, deadline } = from;
  const units = unitsOf(queries, before);
  const rows = new Map(queries.map((query, q) => [query.statement, before[q]?.rowsWritten ?? 0]));
  return from.select({
    // Calls that make cost comparable between statements: cost × calls is then what was measured.
    queries: queries.map((query, q) => ({ ...query, calls: query.calls * (units[q] ?? 0) })),
    candidates,
    whatIf,
    budgetBytes,
    signal: AbortSignal.any([signal, AbortSignal.timeout(deadline.share(CHOOSING_SHARE))]),
    writeCost: (query, candidate) => {
      const q = queries.findIndex(({ statement }) => statement === query.statement);
      return upkeep.ms(query, [candidate], rows.get(query.statement) ?? 0) / (units[q] || 1);
    },
  });
}

/**
 * Milliseconds per unit of the planner's cost, by query, as measured without new indexes. A statement that was
 * stopped tells nothing of the others: it has the cost of weeks, and the time of its limit.
 */
function unitsOf(queries: readonly Query[], before: readonly Timing[]): readonly number[] {
  const isStopped = ({ failure }: Timing) => failure?.stopped === true;
  const sum = (of: (timing: Timing) => number) =>
    queries.reduce((total, { calls }, q) => {
      const timing = before[q];
      return total + (timing && !isStopped(timing) ? calls * of(timing) : 0);
    }, 0);
  const usual =
    sum(({ medianMs }) => medianMs) /
    Math.max(
      sum(({ cost }) => cost),
      1e-9,
    );
  return before.map((timing) => {
    const own = timing.medianMs / Math.max(timing.cost, 1e-9);
    if (isStopped(timing)) return own;
    return Math.min(Math.max(own, usual / MOST_BIAS), usual * MOST_BIAS) || 1e-6;
  });
}

/**
 * What EXPLAIN can't see: who deletes or re-keys a parent has its children looked through by the foreign key's
 * trigger. Such an index can only be found by measuring.
 */
export function unseenBy(
  candidates: readonly Candidate[],
  queries: readonly Query[],
  behind: (query: Query) => ReadonlySet<string>,
): readonly Candidate[] {
  const unseen = candidates.filter(({ index, statements }) =>
    queries.some(
      (query) =>
        statements.includes(query.statement) && behind(query).has(`${index.schema}.${index.table}`),
    ),
  );
  // A longer one does no more for a trigger that looks for equality.
  return unseen.filter(
    ({ index }) => !unseen.some((other) => other.index !== index && isPrefix(other.index, index)),
  );
}

/** Tables whose indexes a query's triggers may use, as `schema.table`. */
export function tablesBehind(
  catalog: Catalog,
  withTriggers: ReadonlySet<string>,
): (query: Query) => ReadonlySet<string> {
  const known = new Map<number, ReadonlySet<string>>();
  return (query) => {
    let tables = known.get(query.statement);
    if (tables === undefined) {
      tables = new Set(behind(query, catalog, withTriggers));
      known.set(query.statement, tables);
    }
    return tables;
  };
}

function behind(
  { kind, accesses }: Query,
  { tables, foreignKeys, ...catalog }: Catalog,
  withTriggers: ReadonlySet<string>,
): readonly string[] {
  const written = accesses.find(({ writes }) => writes !== undefined);
  const table =
    written && findTable({ tables, foreignKeys, ...catalog }, written.table, written.schema);
  if (kind === "select" || written === undefined || table === undefined) return [];
  if (withTriggers.has(`${table.schema}.${table.name}`)) {
    return tables.map(({ schema, name }) => `${schema}.${name}`);
  }
  return foreignKeys
    .filter((key) => key.parentSchema === table.schema && key.parentTable === table.name)
    .filter(
      ({ parentColumns }) =>
        kind === "delete" ||
        (kind === "update" && parentColumns.some((column) => written.writes?.includes(column))),
    )
    .map((key) => `${key.schema}.${key.table}`);
}
