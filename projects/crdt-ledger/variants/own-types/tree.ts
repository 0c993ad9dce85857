/** What there is to be seen of the shapes: which is in which, and in what order. */
import type { Properties, Shape, ShapeId } from "../../contract.ts";
import type { ShapeState, State } from "./state.ts";

export class Tree {
  readonly #shapes: ReadonlyMap<ShapeId, ShapeState>;
  readonly #heights: ReadonlyMap<string, number>;
  readonly #parents = new Map<ShapeId, ShapeId | null>();

  /** As it is now: with the next change of a place, there is another one. */
  constructor({ shapes, slots }: State) {
    this.#shapes = shapes;
    this.#heights = new Map([...slots.elements()].map((slot, height) => [slot.join(), height]));
    for (const [id, { place }] of shapes) this.#parents.set(id, place.value.parent);
    for (const id of this.#ringLeaders()) this.#parents.set(id, null);
  }

  parentOf(id: ShapeId): ShapeId | null {
    return this.#parents.get(id) ?? null;
  }

  isVisible(id: ShapeId): boolean {
    return this.#upFrom(id).every((at) => this.#shapes.get(at)?.deletions.size === 0);
  }

  isWithin(id: ShapeId, group: ShapeId): boolean {
    return this.#upFrom(id).includes(group);
  }

  /** Those that are elsewhere than their last move says. */
  brokenOut(): ShapeState[] {
    return [...this.#shapes.values()].filter(
      ({ id, place }) => place.value.parent !== this.parentOf(id),
    );
  }

  /** From the lowest to the highest. */
  childrenOf(parent: ShapeId | null): ShapeState[] {
    return this.#byParent().get(parent) ?? [];
  }

  view(): Shape[] {
    const byParent = this.#byParent();
    const within = (parent: ShapeId | null): Shape[] =>
      (byParent.get(parent) ?? []).map((shape) => ({
        id: shape.id,
        type: shape.type,
        ...(Object.fromEntries(
          [...shape.fields].map(([name, { value }]) => [name, value]),
        ) as unknown as Omit<Properties, "type">),
        text: shape.text.toString(),
        children: within(shape.id),
      }));
    return within(null);
  }

  #byParent(): Map<ShapeId | null, ShapeState[]> {
    const there = [...this.#shapes.values()].filter(({ deletions }) => deletions.size === 0);
    const sorted = there.sort(
      (a, b) => this.#heightOf(a) - this.#heightOf(b) || (a.id < b.id ? -1 : 1),
    );
    return Map.groupBy(sorted, ({ id }) => this.parentOf(id));
  }

  #heightOf({ place }: ShapeState): number {
    return this.#heights.get(place.value.slot.join()) ?? -1;
  }

  #upFrom(id: ShapeId): ShapeId[] {
    const path: ShapeId[] = [];
    for (let at: ShapeId | null = id; at !== null; at = this.parentOf(at)) path.push(at);
    return path;
  }

  /** Moves that didn't know of each other have put these into a ring: the first by name leaves it. */
  #ringLeaders(): ShapeId[] {
    const leaders: ShapeId[] = [];
    const done = new Set<ShapeId>();
    for (const start of this.#shapes.keys()) {
      const path: ShapeId[] = [];
      let at: ShapeId | null = start;
      while (at !== null && !done.has(at)) {
        done.add(at);
        path.push(at);
        at = this.parentOf(at);
      }
      const ring = at === null ? [] : path.slice(path.indexOf(at));
      const [leader] = at !== null && path.includes(at) ? ring.sort() : [];
      if (leader !== undefined) leaders.push(leader);
    }
    return leaders;
  }
}
