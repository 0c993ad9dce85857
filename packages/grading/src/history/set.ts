import type { Operation } from "./history.ts";

/** `read` results in a boolean: whether the element was there. */
export type SetOp = "add" | "remove" | "read";

export interface SetVerdict {
  readonly valid: boolean;
  /** Added for certain, removed by nobody, and a later read didn't see it. */
  readonly lost: readonly string[];
  /** Removed for certain, and a later read saw it. */
  readonly resurrected: readonly string[];
  /** Seen by a read that ended before anybody began to add it. */
  readonly phantom: readonly string[];
  /** The operations that prove the first anomaly, in order of invocation; empty when valid. */
  readonly counterexample: readonly Operation<SetOp>[];
}

/**
 * Judges a history of a set whose elements are added at most once and never again after a removal
 * (sessions, messages, orders: anything with a fresh id). Under that restriction, linearizability
 * of each element needs no search: three intervals decide, so this takes O(n log n).
 *
 * After Jepsen's `set-full` checker (jepsen.checker/set-full), which classes elements as stable,
 * lost or never-read; removal and "resurrected" are added here. Where a removal overlaps the
 * addition of its element, the doubt is for the defendant.
 *
 * @param operations a history whose `value` is the element
 */
export function checkSet(operations: readonly Operation<SetOp>[]): SetVerdict {
  const lost: string[] = [];
  const resurrected: string[] = [];
  const phantom: string[] = [];
  let counterexample: readonly Operation<SetOp>[] = [];
  const report = (
    list: string[],
    element: string,
    proof: readonly (Operation<SetOp> | undefined)[],
  ) => {
    list.push(element);
    if (counterexample.length > 0) return;
    counterexample = proof
      .filter((operation) => operation !== undefined)
      .sort((one, other) => one.invokedAt - other.invokedAt);
  };

  for (const [element, group] of byElement(operations)) {
    const attempted = (op: SetOp) =>
      group.filter((operation) => operation.op === op && operation.outcome !== "fail");
    const adds = attempted("add");
    const removes = attempted("remove");
    const reads = group.filter(
      (operation) => operation.op === "read" && operation.outcome === "ok",
    );
    if (adds.length > 1)
      throw new RangeError(`${element} is added more than once in this history.`);
    const add = adds[0];
    const seen = reads.filter((read) => read.result === true);
    const unseen = reads.filter((read) => read.result === false);

    const early = seen.find((read) => !add || read.completedAt < add.invokedAt);
    if (early) report(phantom, element, [early, add]);

    // It is certainly there once an add is acknowledged, or once anybody has seen it.
    const there = earliest([...(add?.outcome === "ok" ? [add] : []), ...seen]);
    // A removal that ended before the addition began changed nothing.
    const firstRemove = removes
      .filter((remove) => !add || remove.completedAt > add.invokedAt)
      .sort((one, other) => one.invokedAt - other.invokedAt)[0];
    const missing =
      there &&
      unseen.find(
        (read) =>
          read.invokedAt > there.completedAt &&
          (!firstRemove || read.completedAt < firstRemove.invokedAt),
      );
    if (missing) report(lost, element, [there, missing, firstRemove]);

    // It is certainly gone once a removal that began after that is acknowledged, or once a read
    // that began after that, and that a removal may explain, didn't see it.
    const gone = earliest([
      ...removes.filter(
        (remove) => remove.outcome === "ok" && there && remove.invokedAt > there.completedAt,
      ),
      ...unseen.filter(
        (read) => there && firstRemove && read.invokedAt > there.completedAt && read !== missing,
      ),
    ]);
    const late = gone && seen.find((read) => read.invokedAt > gone.completedAt);
    if (late) report(resurrected, element, [add, gone, late]);
  }
  return {
    valid: lost.length + resurrected.length + phantom.length === 0,
    lost,
    resurrected,
    phantom,
    counterexample,
  };
}

function earliest(operations: readonly Operation<SetOp>[]): Operation<SetOp> | undefined {
  return [...operations].sort((one, other) => one.completedAt - other.completedAt)[0];
}

function byElement(operations: readonly Operation<SetOp>[]): Map<string, Operation<SetOp>[]> {
  return Map.groupBy(operations, (operation) => operation.value);
}
