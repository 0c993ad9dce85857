/**
 * A statement without and with an index, as a row of numbers. Plans are taken as sums by operator, and
 * as differences between the two, as Ding et al. do it (AI Meets AI, SIGMOD 2019). What isn't known is NaN,
 * and the model has learnt with both: the plan with the index costs a what-if call, and of GIN and
 * GiST there is none before they are built.
 */
import type { Catalog } from "../catalog.ts";
import { findTable } from "../catalog.ts";
import type { Candidate, IndexSpec, Query } from "../model.ts";
import { bestMatch } from "./match.ts";
import { operatorKinds, type PlanSummary, type Scan } from "./plan.ts";

export interface Example {
  readonly query: Query;
  readonly candidate: Candidate;
  /** Without the index. */
  readonly before: PlanSummary;
  /** With it, pretended; `undefined` where nobody asked. */
  readonly pretended?: PlanSummary | undefined;
}

const methods = ["btree", "hash", "brin", "gin", "gist"] as const;

/** Thousands and millions are as far from each other as ones and thousands. */
const log = (value: number): number => Math.log10(1 + Math.max(0, value));
const flag = (value: boolean): number => (value ? 1 : 0);

const nothing: PlanSummary = {
  startupCost: 0,
  totalCost: 0,
  rows: 0,
  width: 0,
  operators: 0,
  costs: Object.fromEntries(operatorKinds.map((kind) => [kind, 0])) as PlanSummary["costs"],
  scans: [],
};
/** What only a pretended plan tells: the last ones of {@link features}. */
export const pretendedFeatures: readonly string[] = Object.keys(ofBoth(nothing, undefined));

/** By name, in an order that stays: a model's trees number them. */
export function features(example: Example, catalog: Catalog): Readonly<Record<string, number>> {
  const { query, candidate, before, pretended } = example;
  return {
    ...ofIndex(candidate.index),
    ...ofTable(example, catalog),
    ...ofMatch(query, candidate),
    ...ofPlan(before),
    ...ofBoth(before, pretended),
  };
}

function ofIndex(index: IndexSpec): Record<string, number> {
  const [first] = index.keys;
  return {
    ...Object.fromEntries(methods.map((method) => [method, flag(index.method === method)])),
    keys: index.keys.length,
    include: index.include.length,
    partial: flag(index.where !== undefined),
    expression: flag(first?.expression !== undefined),
    operatorClass: operatorClassNumber(first?.operatorClass),
  };
}

/** 0 is the type's default. */
function operatorClassNumber(name: string | undefined): number {
  if (name === undefined) return 0;
  if (name.endsWith("_pattern_ops")) return 1;
  if (name.endsWith("_trgm_ops")) return 2;
  return name === "jsonb_path_ops" ? 3 : 4;
}

function ofTable({ candidate, before }: Example, catalog: Catalog): Record<string, number> {
  const { schema, table: name, keys } = candidate.index;
  const table = findTable(catalog, name, schema);
  const statistics = table?.columns.find((c) => c.name === keys[0]?.column)?.statistics;
  const scans = before.scans.filter((scan) => scan.table === name);
  const rows = table?.rows ?? Number.NaN;
  const expected = Math.max(...scans.map((scan) => scan.rows));
  return {
    tableRows: log(rows),
    tablePages: log(table?.pages ?? Number.NaN),
    distinct: log(statistics?.distinct ?? Number.NaN),
    rowsPerValue: log(rows / (statistics?.distinct ?? Number.NaN)),
    nulls: statistics?.nullFraction ?? Number.NaN,
    mostCommon: statistics ? (statistics.commonFrequencies[0] ?? 0) : Number.NaN,
    correlation: Math.abs(statistics?.correlation ?? Number.NaN),
    width: statistics?.averageWidth ?? Number.NaN,
    scannedRows: scans.length > 0 ? log(expected) : Number.NaN,
    selectivity: scans.length > 0 ? expected / Math.max(1, rows) : Number.NaN,
    scanShare: Math.max(0, ...scans.map((scan) => scan.cost)) / Math.max(1e-9, before.totalCost),
    scannedWhole: flag(scans.some(({ kind }) => kind === "seqScan")),
    scannedByIndex: flag(scans.some(({ kind }) => kind !== "seqScan")),
  };
}

function ofMatch(query: Query, candidate: Candidate): Record<string, number> {
  const match = bestMatch(query.accesses, candidate);
  const access = match?.access;
  return {
    equalKeys: match?.equalKeys ?? 0,
    rangeKey: flag(match?.rangeKey ?? false),
    firstComparison: match?.firstComparison ?? 0,
    firstOperator: match?.firstOperator ?? 0,
    firstJoins: flag(match?.firstJoins ?? false),
    sorted: match?.sorted ?? 0,
    ordered: flag(match?.ordered ?? false),
    grouped: flag(match?.grouped ?? false),
    covers: flag(match?.covers ?? false),
    predicates: access?.predicates.length ?? 0,
    alternatives: new Set(access?.predicates.map((p) => p.or).filter((or) => or !== undefined))
      .size,
    limit: flag(access?.limit ?? false),
    tables: query.accesses.length,
  };
}

function ofPlan(plan: PlanSummary): Record<string, number> {
  const share = (kind: (typeof operatorKinds)[number]) =>
    plan.costs[kind] / Math.max(1e-9, plan.totalCost);
  return {
    cost: log(plan.totalCost),
    resultRows: log(plan.rows),
    resultWidth: log(plan.width),
    operators: plan.operators,
    ...Object.fromEntries(operatorKinds.map((kind) => [`${kind}Share`, share(kind)])),
  };
}

function ofBoth(before: PlanSummary, after: PlanSummary | undefined): Record<string, number> {
  const cost = Math.max(1e-9, before.totalCost);
  const isNew = (scan: Scan) =>
    scan.indexes.some((index) => !before.scans.some(({ indexes }) => indexes.includes(index)));
  const scan = after?.scans.find(isNew);
  const unknown = Number.NaN;
  return {
    costRatio: after ? Math.log10(Math.max(1e-9, after.totalCost) / cost) : unknown,
    startupShare: after ? after.startupCost / Math.max(1e-9, after.totalCost) : unknown,
    used: after ? flag(scan !== undefined) : unknown,
    usedByIndexScan: after ? flag(scan?.kind === "indexScan") : unknown,
    usedByIndexOnlyScan: after ? flag(scan?.kind === "indexOnlyScan") : unknown,
    usedRows: after ? log(scan?.rows ?? 0) : unknown,
    usedCost: after ? log(scan?.cost ?? 0) : unknown,
    ...Object.fromEntries(
      operatorKinds.map((kind) => [
        `${kind}Change`,
        after ? (after.costs[kind] - before.costs[kind]) / cost : unknown,
      ]),
    ),
  };
}
