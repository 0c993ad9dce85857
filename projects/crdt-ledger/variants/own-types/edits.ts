/** From an edit to operations: whether it can be done here, and how it is taken back. */
import type { Edit, Properties } from "../../contract.ts";
import { LedgerError } from "../../src/errors.ts";
import { type BoardEdit, type Entry, entriesOf, isEntry } from "../../src/model.ts";
import type { Operation } from "./operations.ts";
import type { Gap, Range } from "./sequence.ts";
import { keyOf, type Place, type State, type Tag, tagOf, type Writer } from "./state.ts";
import { isHigh } from "./surrogates.ts";
import { Tree } from "./tree.ts";

/** `of` is a shape's key. */
export type Inverse =
  | { readonly kind: "added" | "deleted"; readonly of: string }
  | {
      readonly kind: "set";
      readonly of: string;
      readonly name: Exclude<keyof Properties, "type">;
      readonly before: { readonly value: string | number; readonly tag: Tag };
    }
  | {
      readonly kind: "moved";
      readonly of: string;
      readonly before: { readonly value: Place; readonly tag: Tag };
    }
  | { readonly kind: "typed"; readonly of: string; readonly range: Range }
  | {
      readonly kind: "erased";
      readonly of: string;
      readonly text: string;
      readonly ranges: readonly Range[];
    };

export interface Writing {
  readonly state: State;
  readonly writer: Writer;
  readonly inverses: Inverse[];
  /** Does it here, and puts it into the change. */
  write(operation: Operation): void;
}

/** @throws LedgerError `INVALID_EDIT`, `INSUFFICIENT_ESCROW`, `NOT_TREASURER`: some may have been done */
export function perform(writing: Writing, edit: Edit): void {
  if (isEntry(edit)) pay(writing, edit);
  else if (edit.kind === "add") add(writing, edit);
  else change(writing, edit);
}

function change(writing: Writing, edit: Exclude<BoardEdit, { kind: "add" }>): void {
  const { state, inverses, write } = writing;
  const shape = state.shapes.get(edit.shape);
  if (!shape || !new Tree(state).isVisible(edit.shape)) {
    throw invalid(`there is no shape ${edit.shape}`);
  }
  const { key: of } = shape;
  switch (edit.kind) {
    case "set": {
      for (const [name, value] of entriesOf(edit.properties)) {
        if (name === "type") continue;
        const { value: was, tag } = shape.fields.get(name) ?? { value: 0, tag: "" };
        inverses.push({ kind: "set", of, name, before: { value: was, tag } });
        // There is no -0 in JSON.
        write({ op: "set", of, name, value: typeof value === "number" ? value + 0 : value });
      }
      break;
    }
    case "move": {
      const tree = new Tree(state);
      assertPlace(tree, state, edit);
      settleRings(writing, tree);
      const { value, tag } = shape.place;
      inverses.push({ kind: "moved", of, before: { value, tag } });
      write({ op: "put", of, parent: edit.parent, ...gapFor(state, edit) });
      break;
    }
    case "delete":
      inverses.push({ kind: "deleted", of });
      write({ op: "delete", of });
      break;
    case "insert": {
      assertWithin(shape.text.toString(), edit.at, 0);
      const { actor, seq, elements } = writing.writer;
      inverses.push({ kind: "typed", of, range: [actor, seq, elements, edit.text.length] });
      write({ op: "type", of, text: edit.text, ...shape.text.gapAt(edit.at) });
      break;
    }
    case "remove": {
      const end = edit.at + edit.length;
      const text = shape.text.toString();
      assertWithin(text, edit.at, edit.length);
      if (edit.length === 0) break;
      const ranges = shape.text.between(edit.at, end);
      inverses.push({ kind: "erased", of, text: text.slice(edit.at, end), ranges });
      write({ op: "erase", of, ranges });
    }
  }
}

/** Without that, a shape that is moved out of a ring would put another one back into what was one. */
function settleRings({ write }: Writing, tree: Tree): void {
  for (const { key, id, place } of tree.brokenOut()) {
    write({ op: "back", of: key, parent: tree.parentOf(id), slot: place.value.slot });
  }
}

function add(writing: Writing, edit: Extract<BoardEdit, { kind: "add" }>): void {
  const { state, writer, inverses, write } = writing;
  if (state.shapes.has(edit.shape)) throw invalid(`there was a shape ${edit.shape} before`);
  assertPlace(new Tree(state), state, edit);
  const { shape: id, parent } = edit;
  const properties = Object.fromEntries(
    entriesOf(edit.properties).map(([name, value]) => [
      name,
      typeof value === "number" ? value + 0 : value,
    ]),
  ) as unknown as Properties;
  write({ op: "add", shape: id, properties, parent, ...gapFor(state, edit) });
  inverses.push({ kind: "added", of: keyOf(id, tagOf(writer)) });
}

function pay({ state, writer, write }: Writing, entry: Entry): void {
  const origin = { actor: writer.actor, counter: writer.seq };
  const may = state.ledger.mayWrite({ entry, origin });
  if (may === "treasurer") {
    throw new LedgerError("NOT_TREASURER", "Only the treasurer may issue money.");
  }
  if (may === "escrow") {
    throw new LedgerError(
      "INSUFFICIENT_ESCROW",
      "There is no right to spend so much here. Whoever has it may lend it.",
    );
  }
  write({ op: "pay", entry });
}

type Placing = Extract<BoardEdit, { kind: "add" | "move" }>;

function assertPlace(tree: Tree, { shapes }: State, { shape, parent, above }: Placing): void {
  if (parent !== null) {
    if (!tree.isVisible(parent)) throw invalid(`there is no group ${parent}`);
    if (shapes.get(parent)?.type !== "group") throw invalid(`${parent} is no group`);
    if (tree.isWithin(parent, shape)) throw invalid(`${shape} would be in itself`);
  }
  if (above === null) return;
  const isSibling = above !== shape && tree.isVisible(above) && tree.parentOf(above) === parent;
  if (!isSibling) throw invalid(`there is no shape ${above} beside ${shape}`);
}

function gapFor(state: State, { parent, above }: Placing): Gap {
  const lowest = new Tree(state).childrenOf(parent)[0];
  const beside = above === null ? undefined : state.shapes.get(above);
  if (beside) return state.slots.gapAfter(beside.place.value.slot);
  return lowest ? state.slots.gapBefore(lowest.place.value.slot) : state.slots.gapAtEnd();
}

function assertWithin(text: string, at: number, length: number): void {
  const end = at + length;
  if (end > text.length) throw invalid(`the text ends at ${text.length}`);
  for (const edge of [at, end]) {
    if (edge < text.length && isHigh(text.charCodeAt(edge - 1))) {
      throw invalid(`${edge} is within a surrogate pair`);
    }
  }
}

function invalid(why: string): LedgerError {
  return new LedgerError("INVALID_EDIT", `This can't be done here: ${why}. Look at the view.`);
}
