/** One change while it is made: what is written, and what is there to be seen meanwhile. */
import * as A from "@automerge/automerge";
import type { Properties, ShapeId } from "../../contract.ts";
import { type Origin, type Root, tagOf, type Writer } from "./codec.ts";
import type { Run } from "./elements.ts";
import {
  DELETED,
  keyOf,
  readTagged,
  type State,
  type Tagged,
  writeMove,
  writeTagged,
} from "./state.ts";
import type { Added, Move, Order } from "./tree.ts";
import { type Entry, FIELDS, type Field } from "./values.ts";

/** Characters that are put in or taken out: which ones is known when the change is there. */
export interface Characters {
  readonly count: number;
  note(runs: Run[]): void;
}

export class Editing {
  readonly root: Root;
  readonly state: State;
  readonly origin: Origin;
  readonly tag: string;
  readonly characters: Characters[] = [];
  readonly #heights: string[];
  /** Of what this change makes, until Automerge has numbered it. */
  readonly #order: Order;
  #moves = 0;
  #entries = 0;

  constructor(root: Root, state: State, origin: Origin, writer: Writer, heights: string[]) {
    this.root = root;
    this.state = state;
    this.origin = origin;
    this.tag = tagOf(origin);
    this.#order = [Number.POSITIVE_INFINITY, writer];
    this.#heights = heights;
  }

  isVisible(id: ShapeId): boolean {
    const { tree } = this.state;
    for (let at: ShapeId | null = id; at !== null; at = tree.parentOf(at)) {
      const shape = tree.at(at);
      if (!shape || isDeleted(this.root, shape.key)) return false;
    }
    return true;
  }

  add(id: ShapeId, { type, ...properties }: Properties): Added {
    const { origin, tag } = this;
    const key = keyOf(id, origin);
    const fields = FIELDS.map((field) => [field, scalar(writeTagged(properties[field], tag))]);
    this.root.shapes[key] = { type: scalar(type), ...Object.fromEntries(fields), text: "" };
    const added = { key, id, type, origin, order: this.#order, map: key };
    this.state.addShape(added);
    return added;
  }

  value(key: string, field: Field): Tagged {
    return readTagged(String(this.root.shapes[key]?.[field]));
  }

  set(key: string, field: Field, value: string | number, tag = this.tag): void {
    this.#shape(key)[field] = scalar(writeTagged(value, tag));
  }

  delete(key: string): void {
    this.#shape(key)[DELETED + this.tag] = true;
  }

  undelete(key: string, tag: string): void {
    delete this.#shape(key)[DELETED + tag];
  }

  /** Right above a place that something was put to; undefined: below all. */
  put(key: string, parent: ShapeId | null, above: Move | undefined, tag = this.tag): void {
    const name = `${this.tag}:${this.#moves++}`;
    const move = { name, key, parent, tag };
    const height = above ? this.#heights.indexOf(above.name) + 1 : 0;
    A.insertAt(this.root.moves, height, scalar(writeMove(move)));
    this.#heights.splice(height, 0, name);
    this.state.addMove({ ...move, order: this.#order });
  }

  text(key: string): string {
    return String(this.#shape(key).text);
  }

  type(key: string, at: number, text: string, note: Characters["note"]): void {
    A.splice(this.root, pathOf(key), at, 0, text);
    this.characters.push({ count: [...text].length, note });
  }

  erase(key: string, at: number, length: number, note: Characters["note"]): void {
    const { length: count } = [...this.text(key).slice(at, at + length)];
    A.splice(this.root, pathOf(key), at, length);
    this.characters.push({ count, note });
  }

  /** Where a character is, or would be. */
  positionOf(key: string, character: string): number {
    return A.getCursorPosition(this.root, pathOf(key), character);
  }

  isAt(key: string, character: string, at: number): boolean {
    return at < this.text(key).length && A.getCursor(this.root, pathOf(key), at) === character;
  }

  pay(entry: Entry): void {
    this.root.ledger[`${this.tag}:${this.#entries++}`] = scalar(JSON.stringify(entry));
    this.state.pay(entry, this.origin);
  }

  #shape(key: string): Record<string, unknown> {
    return this.root.shapes[key] as Record<string, unknown>;
  }
}

export function isDeleted({ shapes }: Root, key: string): boolean {
  return Object.keys(shapes[key] ?? {}).some((name) => name.startsWith(DELETED));
}

const pathOf = (key: string) => ["shapes", key, "text"];

/** A string that nobody edits within. */
const scalar = (text: string) => new A.ImmutableString(text);
