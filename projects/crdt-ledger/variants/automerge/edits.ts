/** Edits, as far as they can be done here, and what it takes to take them back. */
import type { Edit, ShapeId } from "../../contract.ts";
import type { Editing } from "./editing.ts";
import type { Run } from "./elements.ts";
import { invalidEdit, LedgerError } from "./errors.ts";
import type { Tagged } from "./state.ts";
import type { Move } from "./tree.ts";
import { type Entry, type Field, isEntry, settableOf } from "./values.ts";

export type Inverse =
  | { readonly kind: "added" | "deleted"; readonly key: string }
  | { readonly kind: "set"; readonly key: string; readonly field: Field; readonly before: Tagged }
  | { readonly kind: "moved"; readonly key: string; readonly id: ShapeId; readonly before: Move }
  | { readonly kind: "typed"; readonly key: string; runs: readonly Run[] }
  | { readonly kind: "erased"; readonly key: string; readonly text: string; runs: readonly Run[] };

/** @throws LedgerError `INVALID_EDIT`, `INSUFFICIENT_ESCROW`, `NOT_TREASURER`: some may have been done */
export function perform(editing: Editing, edit: Edit): Inverse[] {
  if (isEntry(edit)) return pay(editing, edit);
  const { state } = editing;
  if (edit.kind === "add") {
    const { shape, parent } = edit;
    if (state.tree.at(shape)) throw invalidEdit(`there was a shape ${shape} before`);
    const above = placeFor(editing, edit);
    const { key } = editing.add(shape, edit.properties);
    editing.put(key, parent, above);
    return [{ kind: "added", key }];
  }
  const shape = state.tree.at(edit.shape);
  if (!shape || !editing.isVisible(edit.shape)) {
    throw invalidEdit(`there is no shape ${edit.shape}`);
  }
  const { key, id } = shape;
  switch (edit.kind) {
    case "set":
      return settableOf(edit.properties).map(([field, value]) => {
        const before = editing.value(key, field);
        editing.set(key, field, value);
        return { kind: "set", key, field, before };
      });
    case "move": {
      const above = placeFor(editing, edit);
      const before = state.tree.placeOf(id) as Move;
      editing.put(key, edit.parent, above);
      return [{ kind: "moved", key, id, before }];
    }
    case "delete":
      editing.delete(key);
      return [{ kind: "deleted", key }];
    case "insert": {
      assertWithin(editing.text(key), edit.at, 0);
      const inverse = { kind: "typed", key, runs: [] as Run[] } satisfies Inverse;
      editing.type(key, edit.at, edit.text, (runs) => {
        inverse.runs = runs;
      });
      return [inverse];
    }
    case "remove": {
      const { at, length } = edit;
      const whole = editing.text(key);
      assertWithin(whole, at, length);
      const text = whole.slice(at, at + length);
      const inverse = { kind: "erased", key, text, runs: [] as Run[] } satisfies Inverse;
      editing.erase(key, at, length, (runs) => {
        inverse.runs = runs;
      });
      return [inverse];
    }
  }
}

function pay(editing: Editing, entry: Entry): [] {
  const why = editing.state.ledger.whyNot(entry, editing.origin);
  if (why === "treasurer") {
    throw new LedgerError("NOT_TREASURER", "Only the treasurer may issue money.");
  }
  if (why === "escrow") {
    throw new LedgerError(
      "INSUFFICIENT_ESCROW",
      "There is no right to spend so much here. Whoever has it may lend it.",
    );
  }
  editing.pay(entry);
  return [];
}

/** What to put a shape right above; undefined: nothing. */
function placeFor(
  editing: Editing,
  { shape, parent, above }: Extract<Edit, { kind: "add" | "move" }>,
): Move | undefined {
  const { tree } = editing.state;
  if (parent !== null) {
    if (!editing.isVisible(parent)) throw invalidEdit(`there is no group ${parent}`);
    if (tree.at(parent)?.type !== "group") throw invalidEdit(`${parent} is no group`);
    if (tree.isWithin(parent, shape)) throw invalidEdit(`${shape} would be in itself`);
  }
  if (above === null) return;
  const isSibling = above !== shape && editing.isVisible(above) && tree.parentOf(above) === parent;
  if (!isSibling) throw invalidEdit(`there is no shape ${above} beside ${shape}`);
  return tree.placeOf(above);
}

function assertWithin(text: string, at: number, length: number): void {
  const end = at + length;
  if (end > text.length) throw invalidEdit(`the text ends at ${text.length}`);
  for (const edge of [at, end]) {
    const isApart = (text.codePointAt(edge - 1) ?? 0) > 0xffff;
    if (isApart) throw invalidEdit(`${edge} is within a surrogate pair`);
  }
}
