/** What takes an edit back, as operations: only of that which is still as the edit left it. */
import type { Inverse, Writing } from "./edits.ts";
import type { Range } from "./sequence.ts";
import type { Tag, Writer } from "./state.ts";
import { Tree } from "./tree.ts";

export interface Undoable {
  readonly tag: Tag;
  readonly inverses: readonly Inverse[];
}

/** Own elements that were put back, by what they are now (`<seq>:<nth>`), with what they were. */
export type PutBack = Map<string, readonly [seq: number, nth: number]>;

export function takeBack(writing: Writing, { tag, inverses }: Undoable, putBack: PutBack): void {
  for (const inverse of inverses.toReversed()) undo(writing, inverse, tag, putBack);
}

function undo(writing: Writing, inverse: Inverse, tag: Tag, putBack: PutBack): void {
  const { state, writer, write } = writing;
  const { of } = inverse;
  const shape = state.at(of);
  if (!shape) return;
  switch (inverse.kind) {
    case "added":
      write({ op: "delete", of });
      break;
    case "deleted":
      write({ op: "undelete", of, deletion: tag });
      break;
    case "set": {
      const { name, before } = inverse;
      if (shape.fields.get(name)?.tag === tag) write({ op: "set", of, name, ...before });
      break;
    }
    case "moved": {
      const { value, tag: from } = inverse.before;
      const { parent } = value;
      const tree = new Tree(state);
      const isThere =
        parent === null || (tree.isVisible(parent) && !tree.isWithin(parent, shape.id));
      if (shape.place.tag !== tag || !isThere) break;
      write({ op: "back", of, parent, slot: value.slot, tag: from });
      break;
    }
    case "typed": {
      const ranges = typedIn(
        inverse.range,
        shape.text.between(0, Number.POSITIVE_INFINITY),
        putBack,
      );
      if (ranges.length > 0) write({ op: "erase", of, ranges });
      break;
    }
    case "erased": {
      const { ranges, text } = inverse;
      const [[actor, seq, nth]] = ranges as [Range];
      note(writer, ranges, putBack);
      write({ op: "type", of, text, ...shape.text.gapBefore([actor, seq, nth]) });
    }
  }
}

/** What of the visible ones was typed with a range, be it that it was put back since. */
function typedIn(
  [writer, typedSeq, from, length]: Range,
  visible: readonly Range[],
  putBack: PutBack,
): Range[] {
  const found: Range[] = [];
  for (const [actor, seq, start, size] of visible) {
    if (actor !== writer) continue;
    for (let nth = start; nth < start + size; nth++) {
      const [wasSeq, wasNth] = putBack.get(`${seq}:${nth}`) ?? [seq, nth];
      if (wasSeq !== typedSeq || wasNth < from || wasNth >= from + length) continue;
      const last = found.at(-1);
      if (last && last[1] === seq && last[2] + last[3] === nth) {
        found[found.length - 1] = [actor, seq, last[2], last[3] + 1];
      } else found.push([actor, seq, nth, 1]);
    }
  }
  return found;
}

function note({ actor, seq, elements }: Writer, ranges: readonly Range[], putBack: PutBack): void {
  let now = elements;
  for (const [of, wasSeq, from, length] of ranges) {
    for (let i = 0; i < length; i++, now++) {
      if (of !== actor) continue;
      const was = putBack.get(`${wasSeq}:${from + i}`) ?? [wasSeq, from + i];
      putBack.set(`${seq}:${now}`, was);
    }
  }
}
