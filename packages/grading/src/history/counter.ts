import { boundsBetween, type Change, contradiction, type Reading, SumBounds } from "./bounds.ts";
import type { Operation } from "./history.ts";
import { Findings, type HistoryVerdict } from "./verdict.ts";

/**
 * `value` is the counter. `add` has the amount as `input`, below zero for a decrement; `read`
 * results in the count.
 */
export type CounterOp = "add" | "read";

/** `impossible`: at no moment of the read. `contradictory`: not after what an earlier read saw. */
export type CounterAnomaly = "impossible" | "contradictory";

/**
 * Judges whether every read of a counter saw a count that it may have had at some moment of that
 * read, and one that can follow what the last read before it saw. An addition of unknown outcome
 * may count from then on, or never.
 *
 * Bounds, as in Jepsen's `counter` checker (jepsen.checker/counter), by moments instead of by whole
 * reads. It doesn't prove a counter linearizable: a sum between the bounds may still be one that no
 * choice of additions makes, and reads are compared in pairs.
 *
 * @throws RangeError for amounts and counts that are no numbers
 */
export function checkCounter(
  operations: readonly Operation<CounterOp>[],
  { initial = 0 }: { readonly initial?: number } = {},
): HistoryVerdict<CounterAnomaly> {
  const findings = new Findings<CounterAnomaly>(["impossible", "contradictory"]);
  for (const [counter, group] of Map.groupBy(operations, ({ value }) => value)) {
    const changes: Change[] = group
      .filter(({ op }) => op === "add")
      .map((operation) => ({ operation, by: numberOf(operation, operation.input) }));
    const readings: Reading[] = group
      .filter(({ op, outcome }) => op === "read" && outcome === "ok")
      .map((operation) => ({ operation, sum: numberOf(operation, operation.result) }))
      .sort((one, other) => one.operation.completedAt - other.operation.completedAt);
    judge(findings, counter, initial, changes, readings);
  }
  return findings.verdict("every count is one that the additions allow", operations.length);
}

function judge(
  findings: Findings<CounterAnomaly>,
  counter: string,
  initial: number,
  changes: readonly Change[],
  readings: readonly Reading[],
): void {
  const bounds = new SumBounds(initial, changes);
  const found = new Set<CounterAnomaly>();
  for (const reading of readings) {
    const { operation, sum } = reading;
    const isPossible = bounds
      .during(operation)
      .some(({ lower, upper }) => lower <= sum && sum <= upper);
    const kind = isPossible
      ? contradictsLast(reading, readings, changes) && "contradictory"
      : "impossible";
    if (!kind || found.has(kind)) continue;
    found.add(kind);
    findings.add(kind, counter, () => {
      const why = contradiction(initial, readings, reading, changes);
      const sentence = why
        ? `A read of ${counter} saw ${sum}; it had to be ${range(why.bounds)}${why.earlier ? ` after one that saw ${why.earlier.sum}` : ""}.`
        : `A read of ${counter} saw ${sum}, which it was at no moment of that read.`;
      const begun = changes.filter((change) => change.operation.invokedAt <= operation.completedAt);
      return {
        sentence,
        proof: why?.proof ?? [...begun.map((change) => change.operation), operation],
      };
    });
  }
}

function contradictsLast(
  later: Reading,
  readings: readonly Reading[],
  changes: readonly Change[],
): boolean {
  const earlier = lastBefore(later.operation, readings);
  if (!earlier) return false;
  const { lower, upper } = boundsBetween(earlier.operation, later.operation, changes);
  const by = later.sum - earlier.sum;
  return by < lower || by > upper;
}

/** @param readings in order of their ends */
export function lastBefore<R extends { readonly operation: Operation }>(
  { invokedAt }: Operation,
  readings: readonly R[],
): R | undefined {
  let low = 0;
  let high = readings.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((readings[middle]?.operation.completedAt ?? 0) < invokedAt) low = middle + 1;
    else high = middle;
  }
  return readings[low - 1];
}

export function range({ lower, upper }: { lower: number; upper: number }): string {
  return lower === upper ? `${lower}` : `between ${lower} and ${upper}`;
}

function numberOf({ index, op }: Operation, value: unknown): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new RangeError(`Operation ${index}: ${op} with ${JSON.stringify(value)}, not a number.`);
}
