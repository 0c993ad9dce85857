/**
 * Delta debugging (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input",
 * IEEE TSE 28(2), 2002): leaves parts out, large ones first, as long as what is left is still
 * wrong. Within the budget the result is 1-minimal: no single item can be left out.
 *
 * @param stillWrong is asked about subsets, in order; it must hold for all `items`
 * @param budgetMs when it is over, the smallest subset so far is the answer
 */
export function shrink<T>(
  items: readonly T[],
  stillWrong: (subset: readonly T[]) => boolean,
  budgetMs: number,
): readonly T[] {
  const end = performance.now() + budgetMs;
  let current = items;
  for (let size = Math.ceil(current.length / 2); size >= 1; ) {
    let smaller = false;
    for (let start = 0; start < current.length; ) {
      if (performance.now() > end) return current;
      const rest = [...current.slice(0, start), ...current.slice(start + size)];
      if (rest.length < current.length && stillWrong(rest)) {
        current = rest;
        smaller = true;
      } else start += size;
    }
    if (!smaller && size === 1) break;
    if (!smaller || size > current.length / 2) size = Math.max(1, Math.floor(size / 2));
  }
  return current;
}
