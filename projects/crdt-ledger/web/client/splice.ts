/** How one text became another one: what was typed, told as positions. */

/** At `at`, `removed` code units went and `inserted` came. */
export interface Splice {
  readonly at: number;
  readonly removed: number;
  readonly inserted: string;
}

/** The least that turns one into the other; it splits no surrogate pair. */
export function spliceBetween(before: string, after: string): Splice {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head += 1;
  if (isHigh(before.charCodeAt(head - 1))) head -= 1;
  let tail = 0;
  while (tail < most - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  if (isLow(before.charCodeAt(before.length - tail))) tail -= 1;
  return {
    at: head,
    removed: before.length - tail - head,
    inserted: after.slice(head, after.length - tail),
  };
}

/** What is left of a splice to be done where another one was done first. */
export function rebase(ours: Splice, theirs: Splice): Splice {
  const at = moved(ours.at, theirs);
  const end = moved(ours.at + ours.removed, theirs);
  return { at, removed: end - at, inserted: ours.inserted };
}

/** Where a position is after a splice; one within what was removed is where that was. */
export function moved(position: number, { at, removed, inserted }: Splice): number {
  if (position <= at) return position;
  if (position >= at + removed) return position - removed + inserted.length;
  return at + inserted.length;
}

const isHigh = (unit: number) => unit >= 0xd800 && unit < 0xdc00;
const isLow = (unit: number) => unit >= 0xdc00 && unit < 0xe000;
