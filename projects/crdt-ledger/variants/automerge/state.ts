/**
 * What all changes say that are here: which shapes, places, characters and rights there are, and which change
 * each comes from. By that the next one is judged; values, heights and texts are Automerge's to merge.
 */
import type { Actor } from "../../contract.ts";
import { type Genesis, type OpId, type Origin, originOf, tagOf } from "./codec.ts";
import { Elements, type Run } from "./elements.ts";
import { Ledger } from "./ledger.ts";
import { type Added, type Move, Tree } from "./tree.ts";
import type { Entry } from "./values.ts";

export class State {
  readonly tree = new Tree();
  readonly ledger: Ledger;
  /** By key. */
  readonly shapes = new Map<string, Added>();
  /** By Automerge's map. */
  readonly maps = new Map<OpId, Added>();
  /** Characters, by Automerge's text; and the elements of the list of places. */
  readonly elements = new Map<OpId, Elements>();
  /** Values that were ever set in a shape's map: `<map> <field>` and the change of each. */
  readonly values = new Map<OpId, { readonly field: string; readonly origin: Origin }>();
  #inverses: (() => void)[] = [];

  constructor(treasurer: Actor, { moves }: Genesis) {
    this.ledger = new Ledger(treasurer);
    this.elements.set(moves, new Elements());
  }

  addShape(added: Added): void {
    this.#put(this.shapes, added.key, added);
    this.#put(this.maps, added.map, added);
    this.#inverses.push(this.tree.add(added));
  }

  addText(text: OpId): void {
    this.#put(this.elements, text, new Elements());
  }

  addMove(move: Move): void {
    this.#inverses.push(this.tree.move(move));
  }

  addElements(elements: Elements, run: Run, origin: Origin): void {
    this.#inverses.push(elements.add(run, origin));
  }

  addValue(id: OpId, field: string, origin: Origin): void {
    this.#put(this.values, id, { field, origin });
  }

  pay(entry: Entry, origin: Origin): void {
    this.#inverses.push(this.ledger.write(entry, origin));
  }

  /** What was added stays, and all marks are void. */
  keep(): void {
    this.#inverses = [];
  }

  /** To come back to. */
  mark(): number {
    return this.#inverses.length;
  }

  /** What was added since then goes. */
  backTo(mark: number): void {
    for (const inverse of this.#inverses.splice(mark).reverse()) inverse();
  }

  #put<K, V>(map: Map<K, V>, key: K, value: V): void {
    map.set(key, value);
    this.#inverses.push(() => void map.delete(key));
  }
}

/** A move as an element of the list: its name, and what it says. */
export function writeMove({ name, key, parent, tag }: Omit<Move, "order">): string {
  return `${name} ${JSON.stringify([key, parent, tag])}`;
}

export const nameIn = (element: string) => element.slice(0, element.indexOf(" "));

/** @returns undefined for what nobody writes so */
export function readMove(element: string): Omit<Move, "order"> | undefined {
  const name = nameIn(element);
  const said = parsed(element.slice(name.length + 1));
  if (!Array.isArray(said) || said.length !== 3) return;
  const [key, parent, tag] = said;
  const isParent = parent === null || typeof parent === "string";
  if (typeof key === "string" && isParent && originOf(tag)) return { name, key, parent, tag };
}

export type Tagged = readonly [value: string | number, tag: string];

export const writeTagged = (value: string | number, tag: string) => JSON.stringify([value, tag]);
export const readTagged = (text: string) => JSON.parse(text) as Tagged;

/** Undefined as well where it could be written otherwise: what is the same has the same bytes. */
export function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return JSON.stringify(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

export const keyOf = (id: string, origin: Origin) => `${id} ${tagOf(origin)}`;
export const DELETED = "deleted ";
