/** Many runs, one after the other, on one cluster: each has a document of its own. */
import type { Cluster } from "./cluster.ts";
import { KINDS, type Kind, planFrom } from "./plan.ts";
import { type RunResult, run } from "./run.ts";

export interface KilledOptions {
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

/** @throws where PostgreSQL can't be started again */
export async function soakKilled(
  cluster: Cluster,
  { seed, runs, onRun }: KilledOptions,
): Promise<RunResult[]> {
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
