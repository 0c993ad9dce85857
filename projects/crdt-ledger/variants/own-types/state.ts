/** What operations come to: a function of which ones there are, in whatever order they were allowed to come. */
import type { Actor, Properties, ShapeId, Version } from "../../contract.ts";
import { type Entry, entriesOf } from "../../src/model.ts";
import { Ledger } from "../../src/replica/ledger.ts";
import type { Operation } from "./operations.ts";
import { newer, Register, type Stamp } from "./register.ts";
import { type ElementId, Sequence } from "./sequence.ts";
import { type Sees, Unsound } from "./unsound.ts";

/** `<actor>:<seq>` of a change. */
export type Tag = string;

export interface Place {
  readonly parent: ShapeId | null;
  readonly slot: ElementId;
}

export interface ShapeState {
  /** Of several that were added under one id, which. */
  readonly key: string;
  readonly id: ShapeId;
  readonly type: Properties["type"];
  readonly born: Stamp & { readonly seq: number };
  readonly fields: ReadonlyMap<string, Register<string | number>>;
  readonly place: Register<Place>;
  /** Those that aren't taken back. */
  readonly deletions: Set<Tag>;
  readonly text: Sequence;
}

/** Which change operations are of. */
export interface Writer {
  readonly actor: Actor;
  readonly seq: number;
  /** Of others, up to which `seq` its actor had seen all. */
  readonly seen: Version;
  readonly lamport: number;
  readonly sees: Sees;
  /** How many elements it has made so far. */
  elements: number;
}

export class State {
  readonly ledger: Ledger;
  /** One element for each place that a shape was ever put to. */
  readonly slots = new Sequence();
  /** Of each id the one that is there to be seen, if it isn't deleted. */
  readonly shapes = new Map<ShapeId, ShapeState>();
  readonly #all = new Map<string, ShapeState>();
  readonly #named = new Map<ShapeId, ShapeState[]>();

  constructor(treasurer: Actor) {
    this.ledger = new Ledger(treasurer);
  }

  at(key: string): ShapeState | undefined {
    return this.#all.get(key);
  }

  /** @throws Unsound where no replica that had seen what its writer had makes it */
  apply(writer: Writer, operation: Operation): void {
    if (operation.op === "add") this.#add(writer, operation);
    else if (operation.op === "pay") this.#pay(writer, operation.entry);
    else this.#change(writer, operation);
  }

  #change(writer: Writer, operation: Exclude<Operation, { op: "add" | "pay" }>): void {
    const { sees, lamport, actor } = writer;
    const stamp = { lamport, actor };
    const shape = this.#all.get(operation.of);
    if (!shape || !sees(shape.born.actor, shape.born.seq)) throw new Unsound("no such shape");
    const tag = ("tag" in operation && operation.tag) || tagOf(writer);
    switch (operation.op) {
      case "set":
        shape.fields.get(operation.name)?.set(operation.value, tag, stamp);
        break;
      case "put":
        this.#assertParent(operation.parent, sees);
        shape.place.set(
          { parent: operation.parent, slot: this.#slot(writer, operation) },
          tag,
          stamp,
        );
        break;
      case "back": {
        const { parent, slot } = operation;
        this.#assertParent(parent, sees);
        if (!sees(slot[0], slot[1]) || !this.slots.has(slot)) throw new Unsound("no such height");
        shape.place.set({ parent, slot }, tag, stamp);
        break;
      }
      case "delete":
        shape.deletions.add(tagOf(writer));
        break;
      case "undelete":
        if (!operation.deletion.startsWith(`${actor}:`)) throw new Unsound("not its own deletion");
        shape.deletions.delete(operation.deletion);
        break;
      case "type":
        shape.text.insert(elementOf(writer), operation.text, operation, sees);
        writer.elements += operation.text.length;
        break;
      case "erase":
        for (const range of operation.ranges) shape.text.remove(range, sees);
    }
  }

  #add(writer: Writer, operation: Extract<Operation, { op: "add" }>): void {
    const { shape: id, properties, parent } = operation;
    const { actor, seq, lamport, sees } = writer;
    const known = this.#named.get(id) ?? [];
    if (known.some(({ born }) => sees(born.actor, born.seq))) throw new Unsound("it was there");
    this.#assertParent(parent, sees);
    const stamp = { lamport, actor };
    const tag = tagOf(writer);
    const { type, ...settable } = properties;
    const fields = entriesOf(settable).map(
      ([name, value]) => [name, new Register(value, tag, stamp)] as const,
    );
    const added: ShapeState = {
      ...{ key: keyOf(id, tag), id, type, born: { ...stamp, seq } },
      fields: new Map(fields),
      place: new Register({ parent, slot: this.#slot(writer, operation) }, tag, stamp),
      deletions: new Set(),
      text: new Sequence(),
    };
    this.#all.set(added.key, added);
    this.#named.set(id, [...known, added]);
    const current = this.shapes.get(id);
    if (!current || newer(added.born, current.born)) this.shapes.set(id, added);
  }

  #pay({ actor, seq, sees }: Writer, entry: Entry): void {
    const written = { entry, origin: { actor, counter: seq } };
    const may = this.ledger.mayWrite(written, (origin) => sees(origin.actor, origin.counter));
    if (may !== "yes") throw new Unsound(may);
    this.ledger.write(written);
  }

  #slot(writer: Writer, gap: Pick<Extract<Operation, { op: "put" }>, "left" | "right">): ElementId {
    const slot = elementOf(writer);
    this.slots.insert(slot, "-", gap, writer.sees);
    writer.elements += 1;
    return slot;
  }

  #assertParent(parent: ShapeId | null, sees: Sees): void {
    if (parent === null) return;
    const named = this.#named.get(parent) ?? [];
    const isGroup = named.some(({ type, born }) => type === "group" && sees(born.actor, born.seq));
    if (!isGroup) throw new Unsound(`there is no group ${parent}`);
  }
}

export const tagOf = ({ actor, seq }: Pick<Writer, "actor" | "seq">): Tag => `${actor}:${seq}`;
export const keyOf = (id: ShapeId, added: Tag) => `${id} ${added}`;
export const elementOf = ({ actor, seq, elements }: Writer): ElementId => [actor, seq, elements];
