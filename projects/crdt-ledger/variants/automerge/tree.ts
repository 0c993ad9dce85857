/**
 * Which shape is in which: all moves, one after the other, in the order of Automerge's numbers, which is the
 * same for all and has no move before one that it had seen. A move that would put a shape into itself is
 * passed over (Kleppmann and others, "A Highly-Available Move Operation for Replicated Trees", 2022).
 */
import type { Properties, ShapeId } from "../../contract.ts";
import type { OpId, Origin, Tag, Writer } from "./codec.ts";

/** Later than whatever is known; an operation's number and its writer. */
export type Order = readonly [counter: number, writer: Writer];

/** A shape as it was added; several may have one id. */
export interface Added {
  /** `<id> <actor>:<seq>` */
  readonly key: string;
  readonly id: ShapeId;
  type: Properties["type"];
  readonly origin: Origin;
  readonly order: Order;
  /** Automerge's map, and its text. */
  readonly map: OpId;
}

export interface Move {
  /** `<actor>:<seq>:<nth>`: this one alone. */
  readonly name: string;
  readonly key: string;
  readonly parent: ShapeId | null;
  /** Which change wanted it there; not the one that makes it, where something is taken back. */
  readonly tag: Tag;
  readonly order: Order;
}

export const isBefore = ([a, by]: Order, [b, other]: Order) => a < b || (a === b && by < other);

export class Tree {
  readonly #added: Map<ShapeId, Added[]> = new Map();
  readonly #moves: Move[] = [];
  #places: Map<ShapeId, Move> | undefined;

  /** All who have an id. */
  named(id: ShapeId): readonly Added[] {
    return this.#added.get(id) ?? [];
  }

  /** Of those who have an id, the one that is there. */
  at(id: ShapeId): Added | undefined {
    return this.#added.get(id)?.[0];
  }

  ids(): Iterable<ShapeId> {
    return this.#current().keys();
  }

  /** @returns what takes it back */
  add(added: Added): () => void {
    const all = this.#added.get(added.id) ?? [];
    this.#added.set(added.id, all);
    insert(all, added);
    // Another one of its id may be there instead of the one that was.
    if (all.length > 1) this.#places = undefined;
    return () => {
      all.splice(all.indexOf(added), 1);
      if (all.length === 0) this.#added.delete(added.id);
      this.#places = undefined;
    };
  }

  /** @returns what takes it back */
  move(move: Move): () => void {
    insert(this.#moves, move);
    if (this.#places && this.#moves.at(-1) === move) this.#put(this.#places, move);
    else this.#places = undefined;
    return () => {
      this.#moves.splice(this.#moves.lastIndexOf(move), 1);
      this.#places = undefined;
    };
  }

  /** The move that a shape is where it is by. */
  placeOf(id: ShapeId): Move | undefined {
    return this.#current().get(id);
  }

  parentOf(id: ShapeId): ShapeId | null {
    const parent = this.placeOf(id)?.parent ?? null;
    // Somebody else's shape of that id may be there instead, and be no group.
    return parent !== null && this.at(parent)?.type === "group" ? parent : null;
  }

  isWithin(id: ShapeId, group: ShapeId): boolean {
    return isWithin(this.#current(), id, group);
  }

  #current(): Map<ShapeId, Move> {
    if (this.#places) return this.#places;
    const places = new Map<ShapeId, Move>();
    for (const move of this.#moves) this.#put(places, move);
    this.#places = places;
    return places;
  }

  #put(places: Map<ShapeId, Move>, move: Move): void {
    const [id = ""] = move.key.split(" ");
    if (this.at(id)?.key !== move.key) return;
    if (move.parent === null || !isWithin(places, move.parent, id)) places.set(id, move);
    // However it came to be in itself, it is somewhere.
    else if (!places.has(id)) places.set(id, { ...move, parent: null });
  }
}

function isWithin(places: ReadonlyMap<ShapeId, Move>, id: ShapeId, group: ShapeId): boolean {
  for (let at: ShapeId | null = id; at !== null; at = places.get(at)?.parent ?? null) {
    if (at === group) return true;
  }
  return false;
}

/** Most come at the end. */
function insert<T extends { readonly order: Order }>(all: T[], one: T): void {
  let at = all.length;
  while (at > 0 && isBefore(one.order, (all[at - 1] as T).order)) at -= 1;
  all.splice(at, 0, one);
}
