import type { Operation } from "./history.ts";
import { Findings, type HistoryVerdict } from "./verdict.ts";

/** `value` is whose allowance is used: a client, a key. Admitted is `ok`, refused is `fail`. */
export type WindowOp = "admit";

/**
 * `too-many`: more were certainly admitted within one window than the limit allows.
 * `refused-early`: refused though fewer than the limit can have been admitted in any window that
 * ends within the refused call.
 */
export type WindowAnomaly = "too-many" | "refused-early";

export interface WindowOptions {
  /** How many are admitted at most in any window, wherever it begins. */
  readonly limit: number;
  /** The length of a window, in milliseconds. */
  readonly windowMs: number;
  /** How far the clocks that decide may be apart, in milliseconds: doubts within it are no anomaly. Default: 0. */
  readonly skewMs?: number;
}

/**
 * Judges "at most N in any window of W": a rate limiter with a sliding window. A window that is
 * aligned to the clock lets up to twice as many through around its edge, which is `too-many` here.
 *
 * A call takes effect at some moment between its beginning and its answer. So N + 1 admissions prove
 * something only when all of them lie, with both ends, within W; and a refusal only when too few
 * calls, among those admitted or never answered, can have been counted against it. It doesn't look
 * for one assignment of moments that suits all calls at once.
 *
 * @throws RangeError for a limit that is no whole number from 0 on, or a window without length
 */
export function checkWindows(
  operations: readonly Operation<WindowOp>[],
  { limit, windowMs, skewMs = 0 }: WindowOptions,
): HistoryVerdict<WindowAnomaly> {
  if (!Number.isInteger(limit) || limit < 0) throw new RangeError(`A limit of ${limit}.`);
  if (!(windowMs > 0)) throw new RangeError(`A window of ${windowMs} ms.`);
  const findings = new Findings<WindowAnomaly>(["too-many", "refused-early"]);
  for (const [subject, group] of Map.groupBy(operations, ({ value }) => value)) {
    const admitted = group.filter(({ outcome }) => outcome === "ok");
    const crowd = crowded(admitted, limit, windowMs - skewMs);
    if (crowd) {
      findings.add("too-many", subject, () => ({
        sentence: `${crowd.length} were admitted for ${subject} within ${span(crowd).toFixed(1)} ms; ${limit} may be in ${windowMs} ms.`,
        proof: crowd,
      }));
    }
    for (const refused of group.filter(({ outcome }) => outcome === "fail")) {
      const counted = group.filter(
        ({ outcome, invokedAt, completedAt }) =>
          outcome !== "fail" &&
          invokedAt <= refused.completedAt + skewMs &&
          completedAt >= refused.invokedAt - windowMs - skewMs,
      );
      if (counted.length >= limit) continue;
      findings.add("refused-early", subject, () => ({
        sentence: `${subject} was refused, though at most ${counted.length} of ${limit} can have been admitted in the ${windowMs} ms before.`,
        proof: [...counted, refused],
      }));
      break;
    }
  }
  return findings.verdict(
    `at most ${limit} in any ${windowMs} ms, and none refused before`,
    operations.length,
  );
}

/** More than `limit` operations that lie within `windowMs` with both of their ends, the first such. */
function crowded(
  admitted: readonly Operation[],
  limit: number,
  windowMs: number,
): readonly Operation[] | undefined {
  const byEnd = admitted.toSorted((one, other) => one.completedAt - other.completedAt);
  const within: Operation[] = [];
  for (const last of byEnd) {
    const from = last.completedAt - windowMs;
    if (last.invokedAt <= from) continue;
    // In order of their beginnings, so that those which began too early stand in front.
    const at = within.findLastIndex(({ invokedAt }) => invokedAt <= last.invokedAt);
    within.splice(at + 1, 0, last);
    const gone = within.findIndex(({ invokedAt }) => invokedAt > from);
    within.splice(0, gone);
    if (within.length > limit) return within;
  }
  return undefined;
}

function span(operations: readonly Operation[]): number {
  const first = Math.min(...operations.map(({ invokedAt }) => invokedAt));
  return Math.max(...operations.map(({ completedAt }) => completedAt)) - first;
}
