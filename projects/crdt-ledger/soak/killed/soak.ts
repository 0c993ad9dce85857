/** Many runs, one after the other, on one cluster. */
import type { EngineRun } from "@db-katas/engines";
import { Cluster } from "./cluster.ts";
import { KINDS, type Kind, planFrom } from "./plan.ts";
import { type RunResult, run } from "./run.ts";

export interface KilledOptions {
  readonly engines: EngineRun;
  /** The `index.ts` of a submission. */
  readonly index: string;
  /** Of the first run; the others follow. */
  readonly seed: number;
  readonly runs: number;
  readonly onRun?: (result: RunResult, done: number) => void;
}

export interface Totals {
  readonly runs: number;
  readonly failed: number;
  readonly kills: Readonly<Record<Kind, number>>;
  readonly compactions: number;
  /** Changes. */
  readonly acknowledged: number;
  readonly longestRecoveryMs: number;
}

/** @throws EngineError where no PostgreSQL is to be had that can be killed */
export async function soakKilled(options: KilledOptions): Promise<RunResult[]> {
  const { engines, index, seed, runs, onRun } = options;
  await using cluster = await Cluster.open(engines, index);
  const results: RunResult[] = [];
  for (let i = 0; i < runs; i++) {
    const result = await run(cluster, planFrom(seed + i));
    results.push(result);
    onRun?.(result, results.length);
  }
  return results;
}

export function totalsOf(results: readonly RunResult[]): Totals {
  const all = results.flatMap((result) => result.kills);
  const sum = (of: (result: RunResult) => number) => results.reduce((n, one) => n + of(one), 0);
  return {
    runs: results.length,
    failed: results.filter(({ failures }) => failures.length > 0).length,
    kills: Object.fromEntries(
      KINDS.map((kind) => [kind, all.filter((one) => one === kind).length]),
    ) as Record<Kind, number>,
    compactions: sum((result) => result.compactions),
    acknowledged: sum((result) => result.acknowledged),
    longestRecoveryMs: Math.max(0, ...results.flatMap((result) => result.recoveriesMs)),
  };
}
