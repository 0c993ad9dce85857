/**
 * Delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002): leaves
 * out parts of what fails, ever smaller ones, as long as the rest still fails.
 *
 * @param fails whether this part fails
 * @param tries how often it may be asked, at most
 */
export async function shrink<T>(
  items: readonly T[],
  fails: (part: readonly T[]) => Promise<boolean>,
  tries: number,
): Promise<readonly T[]> {
  let current = items;
  let left = tries;
  for (let size = Math.ceil(current.length / 2); size >= 1 && left > 0; ) {
    let without: readonly T[] | undefined;
    for (let from = 0; from < current.length && left > 0 && !without; from += size) {
      const rest = [...current.slice(0, from), ...current.slice(from + size)];
      left -= 1;
      if (await fails(rest)) without = rest;
    }
    if (without) current = without;
    else if (size === 1) break;
    else size = Math.ceil(size / 2);
  }
  return current;
}
