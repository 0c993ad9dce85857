/** Takes an edit back: only what is still as the edit left it. */
import type { Editing } from "./editing.ts";
import type { Inverse } from "./edits.ts";
import { idsIn, type Run } from "./elements.ts";

export interface Undoable {
  readonly tag: string;
  readonly inverses: readonly Inverse[];
}

/** Characters that were put back, by those that they were: they may have been put back more than once. */
export type PutBack = Map<string, string[]>;

export function takeBack(editing: Editing, undoable: Undoable, putBack: PutBack): void {
  for (const inverse of undoable.inverses.toReversed()) undo(editing, inverse, undoable, putBack);
}

function undo(
  editing: Editing,
  inverse: Inverse,
  { tag, inverses }: Undoable,
  putBack: PutBack,
): void {
  const { key } = inverse;
  switch (inverse.kind) {
    case "added":
      editing.delete(key);
      break;
    case "deleted":
      editing.undelete(key, tag);
      break;
    case "set": {
      const { field, before } = inverse;
      const isInForce = editing.value(key, field)[1] === tag;
      if (isInForce) editing.set(key, field, ...before);
      break;
    }
    case "moved":
      moveBack(editing, inverse, tag);
      break;
    case "typed":
      for (const [at, length] of spansOf(editing, key, inverse.runs, putBack).reverse()) {
        editing.erase(key, at, length, () => {});
      }
      break;
    case "erased": {
      const typed = new Set(
        inverses.flatMap((one) => (one.kind === "typed" ? [...idsIn(one.runs)] : [])),
      );
      const characters = [...inverse.text];
      const left = [...idsIn(inverse.runs)]
        .map((id, i) => ({ id, character: characters[i] ?? "" }))
        .filter(({ id }) => !typed.has(id));
      const [first] = left;
      if (!first) break;
      const text = left.map(({ character }) => character).join("");
      editing.type(key, editing.positionOf(key, first.id), text, (runs) => {
        const were = left.map(({ id }) => id);
        note(putBack, were, runs);
      });
    }
  }
}

function moveBack(
  editing: Editing,
  { key, id, before }: Extract<Inverse, { kind: "moved" }>,
  tag: string,
): void {
  const { tree } = editing.state;
  const { parent } = before;
  const place = tree.placeOf(id);
  const isInForce = place?.key === key && place.tag === tag;
  const isThere = parent === null || (editing.isVisible(parent) && !tree.isWithin(parent, id));
  if (isInForce && isThere) editing.put(key, parent, before, before.tag);
}

/** Where characters are to be seen that were typed, be it that they were put back since. */
function spansOf(
  editing: Editing,
  key: string,
  runs: readonly Run[],
  putBack: PutBack,
): [at: number, length: number][] {
  const ids = [...idsIn(runs)].flatMap((id) => [id, ...(putBack.get(id) ?? [])]);
  const text = editing.text(key);
  const spans: [number, number][] = [];
  const found = ids
    .map((id) => [id, editing.positionOf(key, id)] as const)
    .filter(([id, at]) => editing.isAt(key, id, at))
    .map(([, at]) => at);
  for (const at of found.sort((a, b) => a - b)) {
    const width = (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
    const last = spans.at(-1);
    if (last && last[0] + last[1] === at) last[1] += width;
    else spans.push([at, width]);
  }
  return spans;
}

/** What is put back is what was there at first, however often. */
function note(putBack: PutBack, were: readonly string[], are: readonly Run[]): void {
  const originals = new Map([...putBack].flatMap(([id, again]) => again.map((one) => [one, id])));
  const now = idsIn(are);
  for (const id of were) {
    const original = originals.get(id) ?? id;
    const again = putBack.get(original) ?? [];
    putBack.set(original, again);
    again.push(now.next().value as string);
  }
}
