/** Edits of the board, as they are made here: each looks whether it can be done, and how it is taken back. */
import { LedgerError } from "../errors.ts";
import { type BoardEdit, entriesOf } from "../model.ts";
import { type Board, deletionBy, type Place, type Tag, type Tagged } from "./board.ts";
import type { Run } from "./characters.ts";
import type { Inverse } from "./undo.ts";

export interface Writing {
  readonly board: Board;
  /** Of the change that is being made. */
  readonly tag: Tag;
  readonly inverses: Inverse[];
  /** Of this actor's next operation: a character that it inserts has an id that is made of it. */
  nextCounter(): number;
  /** The characters that were removed by this actor's operations from one on. */
  taken(from: number): readonly Run[];
}

/** @throws `INVALID_EDIT` where it can't be done here and now */
export function assertPossible(board: Board, edit: BoardEdit): void {
  const { kind, shape } = edit;
  if (kind === "add") {
    if (board.has(shape)) throw invalid(`there was a shape ${shape} before`);
  } else if (!board.isVisible(shape)) {
    throw invalid(`there is no shape ${shape}`);
  }
  if (kind === "add" || kind === "move") assertPlace(board, edit);
  if (kind === "insert" || kind === "remove") {
    const length = kind === "remove" ? edit.length : 0;
    assertWithin(board.text(shape).toString(), edit.at, length);
  }
}

/** Of an edit that is possible. */
export function write(writing: Writing, edit: BoardEdit): void {
  const { board, tag, inverses } = writing;
  const { shape } = edit;
  switch (edit.kind) {
    case "add": {
      const { type, ...settable } = edit.properties;
      const map = board.create(shape, type);
      for (const [name, value] of entriesOf(settable)) map.set(name, [value, tag]);
      map.set("place", newPlace(writing, edit));
      inverses.push({ kind: "added", shape });
      break;
    }
    case "set":
      for (const [name, value] of entriesOf(edit.properties)) {
        inverses.push({ kind: "field", shape, name, before: board.field(shape, name) as Tagged });
        board.map(shape).set(name, [value, tag]);
      }
      break;
    case "move":
      settleRings(writing);
      inverses.push({ kind: "field", shape, name: "place", before: board.place(shape) as Place });
      board.map(shape).set("place", newPlace(writing, edit));
      break;
    case "delete":
      board.map(shape).set(deletionBy(tag), true);
      inverses.push({ kind: "deleted", shape });
      break;
    case "insert": {
      const length = [...edit.text].length;
      inverses.push({ kind: "inserted", shape, from: writing.nextCounter(), length });
      board.text(shape).insert(edit.at, edit.text);
      break;
    }
    case "remove":
      remove(writing, edit);
  }
  board.refresh(shape);
}

function remove(
  writing: Writing,
  { shape, at, length }: Extract<BoardEdit, { kind: "remove" }>,
): void {
  const text = writing.board.text(shape);
  if (length === 0) return;
  const where = text.getCursor(at);
  if (!where) throw new Error(`Loro has no cursor at ${at} of ${shape}'s text.`);
  const from = writing.nextCounter();
  const removed = text.slice(at, at + length);
  text.delete(at, length);
  const characters = writing.taken(from);
  writing.inverses.push({ kind: "removed", shape, text: removed, where, characters });
}

/**
 * Writes down where shapes are that were moved into one another. Without that, moving one of them would
 * put another one back to where nobody sees it now.
 */
function settleRings({ board, tag }: Writing): void {
  for (const id of board.brokenOut()) {
    const [, slot] = board.place(id) as Place;
    board.map(id).set("place", [board.parentOf(id), slot, tag] satisfies Place);
    board.refresh(id);
  }
}

type Placing = Extract<BoardEdit, { kind: "add" | "move" }>;

function assertPlace(board: Board, { shape, parent, above }: Placing): void {
  if (parent !== null) {
    if (!board.isVisible(parent)) throw invalid(`there is no group ${parent}`);
    if (!board.isGroup(parent)) throw invalid(`${parent} is no group`);
    if (board.isWithin(parent, shape)) throw invalid(`${shape} would be in itself`);
  }
  if (above === null) return;
  const isSibling = above !== shape && board.isVisible(above) && board.parentOf(above) === parent;
  if (!isSibling) throw invalid(`there is no shape ${above} beside ${shape}`);
}

function newPlace({ board, tag, nextCounter }: Writing, { parent, above }: Placing): Place {
  const slot = `${tag}:${nextCounter()}`;
  board.makeSlot(slot, parent, above);
  return [parent, slot, tag];
}

function assertWithin(text: string, at: number, length: number): void {
  const end = at + length;
  if (end > text.length) throw invalid(`the text ends at ${text.length}`);
  for (const edge of [at, end]) {
    const splits = isHigh(text.charCodeAt(edge - 1)) && edge < text.length;
    if (splits) throw invalid(`${edge} is within a surrogate pair`);
  }
}

/** The first half of a surrogate pair; texts here have no half without the other one. */
const isHigh = (unit: number) => unit >= 0xd800 && unit < 0xdc00;

function invalid(why: string): LedgerError {
  return new LedgerError(
    "INVALID_EDIT",
    `This can't be done here: ${why}. Another edit may have come before; look at the view.`,
  );
}
