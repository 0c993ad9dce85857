import type { Operation } from "./history.ts";
import { Findings, type HistoryVerdict } from "./verdict.ts";

/** `read` results in a boolean: whether the element was there. */
export type SetOp = "add" | "remove" | "read";

/**
 * `lost`: added for certain, removed by nobody, and from some read on never seen again.
 * `stale`: as lost, but a later read saw it: it had been there, and that read was too late to know.
 * `resurrected`: removed for certain, and a later read saw it.
 * `phantom`: seen by a read that ended before anybody began to add it.
 */
export type SetAnomaly = "lost" | "stale" | "resurrected" | "phantom";

export type SetVerdict = HistoryVerdict<SetAnomaly>;

export interface SetOptions {
  /**
   * How long a read may not know of an addition or a removal, in milliseconds since it was certain:
   * acknowledged, or seen by another read. Default: 0.
   */
  readonly stalenessMs?: number;
}

/**
 * Judges a history of a set whose elements are added at most once and never again after a removal
 * (sessions, messages, orders: anything with a fresh id). Under that restriction, linearizability
 * of each element needs no search: three intervals decide, so this takes O(n log n).
 *
 * After Jepsen's `set-full` checker (jepsen.checker/set-full), which classes elements as stable,
 * stale, lost or never-read; removal and "resurrected" are added here. Where a removal overlaps the
 * addition of its element, the doubt is for the defendant. With a staleness bound it judges that
 * bound and no order of reads: within it, one node may know what another doesn't.
 *
 * @param operations a history whose `value` is the element
 * @throws RangeError when an element is added more than once
 */
export function checkSet(
  operations: readonly Operation<SetOp>[],
  { stalenessMs = 0 }: SetOptions = {},
): SetVerdict {
  const findings = new Findings<SetAnomaly>(["lost", "stale", "resurrected", "phantom"]);
  for (const [element, group] of Map.groupBy(operations, ({ value }) => value)) {
    judge(findings, element, group, stalenessMs);
  }
  const bound = stalenessMs > 0 ? `, later than ${stalenessMs} ms after` : "";
  return findings.verdict(
    `nothing lost, nothing resurrected, nothing made up${bound}`,
    operations.length,
  );
}

function judge(
  findings: Findings<SetAnomaly>,
  element: string,
  group: readonly Operation<SetOp>[],
  stalenessMs: number,
): void {
  const attempted = (op: SetOp) =>
    group.filter((operation) => operation.op === op && operation.outcome !== "fail");
  const adds = attempted("add");
  const removes = attempted("remove");
  const reads = group.filter((operation) => operation.op === "read" && operation.outcome === "ok");
  if (adds.length > 1) throw new RangeError(`${element} is added more than once in this history.`);
  const add = adds[0];
  const seen = reads.filter((read) => read.result === true);
  const unseen = reads.filter((read) => read.result === false);

  const early = seen.find((read) => !add || read.completedAt < add.invokedAt);
  if (early) {
    findings.add("phantom", element, () => ({
      sentence: `${element} was seen before anybody began to add it.`,
      proof: [early, add],
    }));
  }

  // It is certainly there once an add is acknowledged, or once anybody has seen it.
  const there = earliest([...(add?.outcome === "ok" ? [add] : []), ...seen]);
  if (!there) return;
  const mustSeeFrom = there.completedAt + stalenessMs;
  // A removal that ended before the addition began changed nothing.
  const firstRemove = removes
    .filter((remove) => !add || remove.completedAt > add.invokedAt)
    .sort((one, other) => one.invokedAt - other.invokedAt)[0];
  const isBeforeRemoval = (read: Operation) =>
    !firstRemove || read.completedAt < firstRemove.invokedAt;
  const missing = unseen.find((read) => read.invokedAt > mustSeeFrom && isBeforeRemoval(read));
  if (missing) {
    const again = seen.find((read) => read.invokedAt > missing.completedAt);
    findings.add(again ? "stale" : "lost", element, () => ({
      sentence: again
        ? `A read did not see ${element}, which was there before and after.`
        : `${element} was there, nobody had begun to remove it, and it was gone.`,
      proof: [there, missing],
    }));
  }

  // It is certainly gone once a removal that began after that is acknowledged, or once a read that
  // had to see it, and that a removal may explain, didn't.
  const gone = earliest([
    ...removes.filter((remove) => remove.outcome === "ok" && remove.invokedAt > there.completedAt),
    ...unseen.filter((read) => read.invokedAt > mustSeeFrom && !isBeforeRemoval(read)),
  ]);
  const late = gone && seen.find((read) => read.invokedAt > gone.completedAt + stalenessMs);
  if (!late) return;
  const cause = gone.op === "remove" ? gone : firstRemove;
  findings.add("resurrected", element, () => ({
    sentence: `${element} was seen after it had been removed.`,
    proof: [there === late ? undefined : there, cause, gone, late],
  }));
}

function earliest(operations: readonly Operation<SetOp>[]): Operation<SetOp> | undefined {
  return [...operations].sort((one, other) => one.completedAt - other.completedAt)[0];
}
