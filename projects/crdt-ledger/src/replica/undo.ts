/**
 * What takes an edit back. It changes only what is still as the edit left it: a property that somebody else
 * has set since keeps that value, and characters of others stay where they are.
 */
import type { Cursor, LoroDoc, PeerID } from "loro-crdt";
import type { ShapeId } from "../../contract.ts";
import { type Board, deletionBy, type Place, type Tag, type Tagged } from "./board.ts";
import { type CharacterId, charactersOf, type Run } from "./characters.ts";

export type Inverse =
  | { readonly kind: "added"; readonly shape: ShapeId }
  | { readonly kind: "deleted"; readonly shape: ShapeId }
  | {
      readonly kind: "field";
      readonly shape: ShapeId;
      readonly name: string;
      readonly before: Tagged | Place;
    }
  | {
      readonly kind: "inserted";
      readonly shape: ShapeId;
      /** The characters, code points to Loro, have counters from here on. */
      readonly from: number;
      readonly length: number;
    }
  | {
      readonly kind: "removed";
      readonly shape: ShapeId;
      readonly text: string;
      /** The first of the characters; Loro finds the place where it was. */
      readonly where: Cursor;
      readonly characters: readonly Run[];
    };

export interface Undoable {
  readonly tag: Tag;
  readonly inverses: readonly Inverse[];
}

export interface Undoing {
  readonly doc: LoroDoc;
  readonly board: Board;
  readonly peer: PeerID;
  /** Of the change that takes it back. */
  readonly tag: Tag;
  /** Characters that this actor has put back, by their counters now, with what they were. */
  readonly putBack: Map<number, CharacterId>;
  /** Of this actor's next operation. */
  nextCounter(): number;
}

export function takeBack(undoing: Undoing, { tag, inverses }: Undoable): void {
  const { board } = undoing;
  for (const inverse of inverses.toReversed()) {
    const { shape } = inverse;
    switch (inverse.kind) {
      case "added":
        board.map(shape).set(deletionBy(undoing.tag), true);
        break;
      case "deleted":
        board.map(shape).set(deletionBy(tag), false);
        break;
      case "field":
        if (isStill(board, inverse, tag)) board.map(shape).set(inverse.name, [...inverse.before]);
        break;
      case "inserted":
        removeCharacters(undoing, inverse);
        break;
      case "removed":
        putBack(undoing, inverse);
    }
    board.refresh(shape);
  }
}

/** Whether the value is the edit's, and the one before can be put back. */
function isStill(
  board: Board,
  { shape, name, before }: Extract<Inverse, { kind: "field" }>,
  tag: Tag,
): boolean {
  if ((board.field(shape, name) as Tagged | Place).at(-1) !== tag) return false;
  if (name !== "place") return true;
  const [parent] = before as Place;
  return parent === null || (board.isVisible(parent) && !board.isWithin(parent, shape));
}

/** Whoever undoes takes out what they typed, be it that they had put it back meanwhile. */
function removeCharacters(
  { doc, board, peer, putBack }: Undoing,
  { shape, from, length }: Extract<Inverse, { kind: "inserted" }>,
): void {
  const text = board.text(shape);
  const isTyped = (counter: number) => {
    const typed = putBack.get(counter) ?? { peer, counter };
    return typed.peer === peer && typed.counter >= from && typed.counter < from + length;
  };
  const found: { at: number; units: number }[] = [];
  const widths = Array.from(text.toString(), ({ length: units }) => units).values();
  let at = 0;
  for (const run of charactersOf(doc, text)) {
    for (let i = 0; i < run.length; i++) {
      const units = widths.next().value ?? 0;
      const last = found.at(-1);
      if (run.peer === peer && isTyped(run.counter + i)) {
        if (last && last.at + last.units === at) last.units += units;
        else found.push({ at, units });
      }
      at += units;
    }
  }
  for (const one of found.reverse()) text.delete(one.at, one.units);
}

function putBack(
  { doc, board, peer, putBack, nextCounter }: Undoing,
  { shape, text, where, characters }: Extract<Inverse, { kind: "removed" }>,
): void {
  let counter = nextCounter();
  board.text(shape).insert(doc.getCursorPos(where)?.offset ?? 0, text);
  for (const run of characters) {
    for (let i = 0; i < run.length; i++) {
      const was = { peer: run.peer, counter: run.counter + i };
      // What one has put back before is still what it was at first.
      const first = was.peer === peer ? putBack.get(was.counter) : undefined;
      putBack.set(counter, first ?? was);
      counter += 1;
    }
  }
}
