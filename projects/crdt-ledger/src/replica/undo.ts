/**
 * What takes an edit back. It changes only what is still as the edit left it: a property that somebody else
 * has set since keeps that value, and characters of others stay where they are.
 */
import type { Cursor, LoroDoc, LoroText, PeerID } from "loro-crdt";
import type { ShapeId } from "../../contract.ts";
import { type Board, deletionBy, type Place, type Tag, type Tagged } from "./board.ts";

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
      readonly characters: readonly CharacterId[];
    };

/** `<counter>@<peer>` */
export type CharacterId = string;

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
  /** Characters that were put back, by what they are now, with what they were. */
  readonly putBack: Map<CharacterId, CharacterId>;
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

/** What `remove` needs to be taken back; asked before it is done. */
export function removedFrom(
  text: LoroText,
  shape: ShapeId,
  at: number,
  length: number,
): Extract<Inverse, { kind: "removed" }> {
  const where = text.getCursor(at);
  if (!where) throw new Error(`Loro has no cursor at ${at} of ${shape}'s text.`);
  return {
    kind: "removed",
    shape,
    text: text.toString().slice(at, at + length),
    where,
    characters: charactersOf(text, at, at + length).map(({ id }) => id),
  };
}

function removeCharacters(
  { board, peer, putBack }: Undoing,
  { shape, from, length }: Extract<Inverse, { kind: "inserted" }>,
): void {
  const text = board.text(shape);
  const inserted = new Set(Array.from({ length }, (_, i) => `${from + i}@${peer}`));
  for (const { id, at, units } of charactersOf(text, 0, text.length).reverse()) {
    if (inserted.has(putBack.get(id) ?? id)) text.delete(at, units);
  }
}

function putBack(
  { doc, board, peer, putBack, nextCounter }: Undoing,
  { shape, text, where, characters }: Extract<Inverse, { kind: "removed" }>,
): void {
  const from = nextCounter();
  board.text(shape).insert(doc.getCursorPos(where)?.offset ?? 0, text);
  for (const [i, id] of characters.entries()) {
    // What was put back more than once is still what it was at first.
    putBack.set(`${from + i}@${peer}`, putBack.get(id) ?? id);
  }
}

interface Character {
  readonly id: CharacterId;
  /** In UTF-16 code units, as everywhere. */
  readonly at: number;
  readonly units: number;
}

function charactersOf(text: LoroText, from: number, to: number): Character[] {
  const characters: Character[] = [];
  let at = from;
  for (const { length: units } of text.toString().slice(from, to)) {
    const id = text.getCursor(at)?.pos();
    if (id) characters.push({ id: `${id.counter}@${id.peer}`, at, units });
    at += units;
  }
  return characters;
}
