/** Figures of one run and of many. All times are milliseconds. */
import { BUDGET_MS, SLACK_MS } from "./bounds.ts";
import { type Call, latencyOf } from "./calls.ts";
import type { Happening } from "./driver.ts";
import { type AnomalyKind, anomalyKinds, tooBusy } from "./judge.ts";
import { percentile } from "./percentile.ts";
import type { ChaosRun } from "./run.ts";
import type { Schedule } from "./schedule.ts";

/** What is kept of a run: small enough for hundreds, and enough to run it again. */
export interface RunResult {
  readonly seed: number;
  readonly schedule: Schedule;
  readonly calls: number;
  readonly acknowledged: number;
  readonly unknown: number;
  readonly anomalies: Readonly<Partial<Record<AnomalyKind, number>>>;
  /** The first few, in words. */
  readonly texts: readonly string[];
  /** Writes under way when each fault began and when it was in effect. */
  readonly overlaps: readonly number[];
  readonly steadyMs: readonly number[];
  readonly faultMs: readonly number[];
  /**
   * What calls that met a fault took beyond the median of their kind in steady state. Met: under way
   * on a node that was hit when the fault took effect, or made while it lasted.
   */
  readonly extraMs: readonly number[];
  readonly failOverMs: readonly number[];
  readonly failBackMs: readonly number[];
  /** The machine was too busy to judge refusals. */
  readonly busy: boolean;
}

const TEXTS = 5;

export function summarize(run: ChaosRun): RunResult {
  const { schedule, calls, anomalies, happenings } = run;
  const load = calls.filter(({ final }) => !final);
  const begin = happenings[0]?.orderedAt ?? Number.POSITIVE_INFINITY;
  const steady = load.filter(({ settledAt }) => settledAt < begin);
  const during = load.filter((call) => happenings.some((each) => meets(call, each)));
  const turns = happenings.map((happening) => turnsOf(run, happening));
  return {
    seed: schedule.seed,
    schedule,
    calls: calls.length,
    acknowledged: calls.filter(({ outcome }) => outcome === "ok").length,
    unknown: calls.filter(({ outcome }) => outcome === "unknown").length,
    anomalies: countKinds(anomalies.map(({ kind }) => kind)),
    texts: anomalies.slice(0, TEXTS).map(({ kind, text }) => `${kind}: ${text}`),
    overlaps: happenings.map(({ overlapped }) => overlapped.length),
    steadyMs: steady.map(latencyOf).map(round),
    faultMs: during.map(latencyOf).map(round),
    extraMs: extras(steady, during, happenings).map(round),
    failOverMs: turns.flatMap(({ failOverMs }) => failOverMs ?? []).map(round),
    failBackMs: turns.flatMap(({ failBackMs }) => failBackMs ?? []).map(round),
    busy: tooBusy(run),
  };
}

function meets(call: Call, { nodes, effectiveAt, healedAt }: Happening): boolean {
  return nodes.includes(call.node) && call.settledAt > effectiveAt && call.invokedAt < healedAt;
}

function extras(
  steady: readonly Call[],
  during: readonly Call[],
  happenings: readonly Happening[],
): number[] {
  const usual = new Map(
    [...Map.groupBy(steady, ({ op }) => op)].map(([op, calls]) => [
      op,
      percentile(calls.map(latencyOf), 0.5),
    ]),
  );
  return during.flatMap((call) => {
    const base = usual.get(call.op);
    if (base === undefined) return [];
    // What the monkey held back to have its write under way is its own doing.
    const held = happenings
      .filter(({ event }) => event.node === call.node)
      .reduce((sum, each) => sum + overlapMs(call, each), 0);
    return Math.max(0, latencyOf(call) - base - held);
  });
}

/** How long the packets of a call's node were held back while it was under way. */
function overlapMs(call: Call, { heldFrom, heldUntil }: Happening): number {
  return Math.max(0, Math.min(call.settledAt, heldUntil) - Math.max(call.invokedAt, heldFrom));
}

export interface Turns {
  /** From the fault to the first success of a call made after it, on the node that met it. */
  readonly failOverMs?: number;
  /** From the heal to the first answer of Redis on that node. */
  readonly failBackMs?: number;
}

export function turnsOf({ calls, traffic }: ChaosRun, happening: Happening): Turns {
  const { event, effectiveAt, healedAt } = happening;
  const success = calls
    .filter(({ node, outcome, invokedAt }) => {
      return node === event.node && outcome === "ok" && invokedAt >= effectiveAt;
    })
    .reduce((least, { settledAt }) => Math.min(least, settledAt), Number.POSITIVE_INFINITY);
  const answer = traffic.find(({ node, at, redisAnswers }) => {
    return node === event.node && at > healedAt && redisAnswers > 0;
  });
  return {
    ...(Number.isFinite(success) && { failOverMs: success - effectiveAt }),
    ...(answer && { failBackMs: answer.at - healedAt }),
  };
}

export interface Totals {
  readonly runs: number;
  readonly failed: number;
  /** Runs on a machine that was too busy to judge refusals. */
  readonly busy: number;
  readonly faults: number;
  /** Faults that met a write under way. */
  readonly overlapping: number;
  readonly calls: number;
  readonly acknowledged: number;
  readonly unknown: number;
  readonly anomalies: Readonly<Record<AnomalyKind, number>>;
  readonly steady: Spread;
  readonly fault: Spread;
  readonly extra: Spread;
  readonly failOver: Spread;
  readonly failBack: Spread;
}

/** Undefined where nothing was measured. */
export interface Spread {
  readonly count: number;
  readonly p50?: number;
  readonly p99?: number;
  readonly max?: number;
}

export function totalsOf(results: readonly RunResult[]): Totals {
  const sum = (of: (result: RunResult) => number) =>
    results.reduce((total, result) => total + of(result), 0);
  const spread = (of: (result: RunResult) => readonly number[]) => spreadOf(results.flatMap(of));
  const kinds = Object.keys(anomalyKinds) as AnomalyKind[];
  return {
    runs: results.length,
    failed: results.filter(failed).length,
    busy: results.filter(({ busy }) => busy).length,
    faults: sum(({ overlaps }) => overlaps.length),
    overlapping: sum(({ overlaps }) => overlaps.filter((count) => count > 0).length),
    calls: sum(({ calls }) => calls),
    acknowledged: sum(({ acknowledged }) => acknowledged),
    unknown: sum(({ unknown }) => unknown),
    anomalies: Object.fromEntries(
      kinds.map((kind) => [kind, sum(({ anomalies }) => anomalies[kind] ?? 0)]),
    ) as Record<AnomalyKind, number>,
    steady: spread(({ steadyMs }) => steadyMs),
    fault: spread(({ faultMs }) => faultMs),
    extra: spread(({ extraMs }) => extraMs),
    failOver: spread(({ failOverMs }) => failOverMs),
    failBack: spread(({ failBackMs }) => failBackMs),
  };
}

export function failed({ anomalies }: Pick<RunResult, "anomalies">): boolean {
  return Object.values(anomalies).some((count) => count > 0);
}

export function formatTotals(totals: Totals): string {
  const { runs, faults, overlapping, calls, acknowledged, unknown, anomalies } = totals;
  const rows: [string, string][] = [
    ["runs", `${runs}, ${totals.failed} with anomalies`],
    ...(totals.busy > 0
      ? [["machine", `too busy to judge refusals in ${totals.busy} runs`] as [string, string]]
      : []),
    ["faults", `${faults}, ${overlapping} of them while a write was under way`],
    ["calls", `${calls}: ${acknowledged} acknowledged, ${unknown} of unknown outcome`],
    ...Object.entries(anomalies).map(([kind, count]): [string, string] => [kind, String(count)]),
    ["steady state", formatSpread(totals.steady)],
    ["during faults", formatSpread(totals.fault)],
    ["extra when met by a fault", formatSpread(totals.extra)],
    ["time to fail over", formatSpread(totals.failOver)],
    ["time to fail back", formatSpread(totals.failBack)],
    ["limit of a call", `${BUDGET_MS} ms budget + ${SLACK_MS} ms for a busy machine`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`).join("\n");
}

function formatSpread({ count, p50, p99, max }: Spread): string {
  if (p50 === undefined || p99 === undefined || max === undefined) return "not measured";
  const [middle, late, latest] = [p50, p99, max].map((ms) => ms.toFixed(0));
  return `p50 ${middle} ms, p99 ${late} ms, max ${latest} ms (${count} measured)`;
}

export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) return { count: 0 };
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => percentile(values, share)) as [
    number,
    number,
    number,
  ];
  return { count: values.length, p50, p99, max };
}

function countKinds(kinds: readonly AnomalyKind[]): Partial<Record<AnomalyKind, number>> {
  return Object.fromEntries(
    [...Map.groupBy(kinds, (kind) => kind)].map(([kind, all]) => [kind, all.length]),
  );
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
