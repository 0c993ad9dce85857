import type { Operation } from "../../src/index.ts";

export const never = Number.POSITIVE_INFINITY;

export type Row<Op extends string> = [
  op: Op,
  invokedAt: number,
  completedAt: number,
  more?: Partial<Operation<Op>>,
];

/** One process for each operation. An end at `never` means that it was never answered. */
export function historyOf<Op extends string>(value: string, ...rows: Row<Op>[]): Operation<Op>[] {
  return rows.map(([op, invokedAt, completedAt, more], index) => ({
    index,
    process: `p${index}`,
    op,
    value,
    invokedAt,
    completedAt,
    outcome: Number.isFinite(completedAt) ? "ok" : "unknown",
    ...more,
  }));
}

/** An instant after everything that began, and everything that was answered. */
export function endOf(operations: readonly Operation[]): number {
  const times = operations.flatMap(({ invokedAt, completedAt }) =>
    Number.isFinite(completedAt) ? [completedAt] : [invokedAt],
  );
  return Math.max(0, ...times) + 1;
}
