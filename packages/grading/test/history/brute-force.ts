import type { Operation } from "../../src/index.ts";

/**
 * Tries every order that real time allows, with and without each operation of unknown outcome.
 *
 * @param apply the next state, or undefined if the operation can't have answered like that
 */
export function isLinearizable<State>(
  operations: readonly Operation[],
  initial: State,
  apply: (state: State, operation: Operation) => State | undefined,
): boolean {
  const left = operations.filter(({ outcome }) => outcome !== "fail");
  const isPossible = (rest: readonly Operation[], state: State): boolean => {
    if (rest.every(({ outcome }) => outcome !== "ok")) return true;
    return rest.some((operation) => {
      if (rest.some((other) => other.completedAt < operation.invokedAt)) return false;
      const next = apply(state, operation);
      return (
        next !== undefined &&
        isPossible(
          rest.filter((other) => other !== operation),
          next,
        )
      );
    });
  };
  return isPossible(left, initial);
}
