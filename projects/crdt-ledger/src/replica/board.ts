/**
 * The shapes of one document, as Loro has them, and what people see of them.
 *
 * A shape is a map. Each of its properties is the newest value, with the change that it comes from; so is
 * its place: parent and slot together, or of two moves one could win the parent and the other one the height.
 * Slots are in one list for all. Each move makes a new one, which nobody else ever uses: the list's own
 * order is the height, whatever is inserted at once at the same place, and it keeps runs together (Weidner
 * and Kleppmann, "The Art of the Fugue", 2023).
 */
import { type ContainerID, type LoroDoc, LoroMap, LoroText } from "loro-crdt";
import type { Properties, Shape, ShapeId } from "../../contract.ts";
import { SETTABLE } from "../model.ts";

/** Which change something comes from: `<actor>:<seq>`. */
export type Tag = string;
export type Tagged = readonly [value: string | number, tag: Tag];
export type Place = readonly [parent: ShapeId | null, slot: string, tag: Tag];
/** Each deletion is written down apart, by whoever deletes; undoing it takes back that one alone. */
export const deletionBy = (tag: Tag) => `deleted ${tag}`;
export const DELETION = "deleted ";

interface Known {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly place: Place;
  readonly deleted: boolean;
}

export class Board {
  readonly #doc: LoroDoc;
  readonly #known = new Map<ShapeId, Known>();
  /** Who has, or had, a slot. */
  readonly #inSlot = new Map<string, ShapeId>();
  /** Undefined: to be read again. */
  #slotsRead: string[] | undefined;

  /** Reads what is in the document; afterwards it is told what has changed. */
  constructor(doc: LoroDoc) {
    this.#doc = doc;
    for (const id of doc.getMap("shapes").keys()) this.refresh(id);
  }

  get #list() {
    return this.#doc.getList("slots");
  }

  get #slots(): string[] {
    this.#slotsRead ??= this.#list.toArray() as string[];
    return this.#slotsRead;
  }

  map(id: ShapeId): LoroMap {
    return this.#doc.getMap("shapes").get(id) as LoroMap;
  }

  text(id: ShapeId): LoroText {
    return this.#doc.getContainerById(this.field(id, "text") as ContainerID) as LoroText;
  }

  fields(id: ShapeId): Readonly<Record<string, unknown>> | undefined {
    return this.#known.get(id)?.fields;
  }

  field(id: ShapeId, name: string): unknown {
    return this.#known.get(id)?.fields[name];
  }

  place(id: ShapeId): Place | undefined {
    return this.#known.get(id)?.place;
  }

  has(id: ShapeId): boolean {
    return this.#known.has(id);
  }

  /** Looks again at a shape that was changed. */
  refresh(id: ShapeId): void {
    const map = this.#doc.getMap("shapes").get(id);
    if (!(map instanceof LoroMap)) {
      this.#known.delete(id);
      return;
    }
    // A text is read when it is looked at: this is called for each change.
    const fields: Record<string, unknown> = map.getShallowValue();
    const deleted = Object.entries(fields).some(
      ([name, inForce]) => name.startsWith(DELETION) && inForce === true,
    );
    const place = fields.place as Place;
    this.#known.set(id, { fields, place, deleted });
    if (place) this.#inSlot.set(place[1], id);
  }

  refreshSlots(): void {
    this.#slotsRead = undefined;
  }

  create(id: ShapeId, type: Properties["type"]): LoroMap {
    const map = this.#doc.getMap("shapes").setContainer(id, new LoroMap());
    map.set("type", type);
    map.setContainer("text", new LoroText());
    return map;
  }

  /** Makes a slot right above that of `above`, or below those of all shapes in `parent`. */
  makeSlot(slot: string, parent: ShapeId | null, above: ShapeId | null): void {
    const slots = this.#slots;
    const height =
      above === null ? this.#lowestIn(parent) : slots.indexOf(this.place(above)?.[1] ?? "") + 1;
    this.#list.insert(height, slot);
    slots.splice(height, 0, slot);
  }

  #lowestIn(parent: ShapeId | null): number {
    const lowest = this.#slots.findIndex((slot) => {
      const id = this.#inSlot.get(slot);
      return id !== undefined && this.place(id)?.[1] === slot && this.#isChild(id, parent);
    });
    return lowest === -1 ? this.#slots.length : lowest;
  }

  #isChild(id: ShapeId, parent: ShapeId | null): boolean {
    return this.parentOf(id) === parent && this.#known.get(id)?.deleted === false;
  }

  /**
   * Where a shape is. Moves that didn't know of each other may have put shapes into one another, in a
   * ring: then the one with the least id is on the board itself, wherever this is computed.
   */
  parentOf(id: ShapeId): ShapeId | null {
    const parent = this.place(id)?.[0] ?? null;
    const ring = [id];
    for (let at = parent; at !== null; at = this.place(at)?.[0] ?? null) {
      if (at === id) return ring.every((other) => id <= other) ? null : parent;
      // A ring further up, that this shape is in by its parents only.
      if (ring.includes(at)) break;
      ring.push(at);
    }
    return parent;
  }

  /** Whether it is there to be seen: not deleted, nor in anything that is. */
  isVisible(id: ShapeId): boolean {
    for (let at: ShapeId | null = id; at !== null; at = this.parentOf(at)) {
      const known = this.#known.get(at);
      if (!known || known.deleted) return false;
    }
    return true;
  }

  isGroup(id: ShapeId): boolean {
    return this.field(id, "type") === "group";
  }

  isWithin(id: ShapeId, group: ShapeId | null): boolean {
    for (let at: ShapeId | null = id; at !== null; at = this.parentOf(at)) {
      if (at === group) return true;
    }
    return false;
  }

  /** Those that are elsewhere than their last move says. */
  brokenOut(): ShapeId[] {
    return [...this.#known.keys()].filter((id) => this.parentOf(id) !== this.place(id)?.[0]);
  }

  view(): Shape[] {
    const heights = new Map(this.#slots.map((slot, height) => [slot, height]));
    const heightOf = (id: ShapeId) => heights.get(this.place(id)?.[1] ?? "") ?? -1;
    const children = new Map<ShapeId | null, ShapeId[]>();
    for (const [id, { deleted }] of this.#known) {
      if (deleted) continue;
      const parent = this.parentOf(id);
      const siblings = children.get(parent);
      if (siblings) siblings.push(id);
      else children.set(parent, [id]);
    }
    const tree = (parent: ShapeId | null): Shape[] =>
      (children.get(parent) ?? [])
        .sort((a, b) => heightOf(a) - heightOf(b) || (a < b ? -1 : 1))
        .map((id) => this.#shape(id, tree(id)));
    return tree(null);
  }

  #shape(id: ShapeId, children: readonly Shape[]): Shape {
    const fields = this.#known.get(id)?.fields ?? {};
    const settable = SETTABLE.map((name) => [name, (fields[name] as Tagged)[0]]);
    return {
      id,
      type: fields.type as Properties["type"],
      ...(Object.fromEntries(settable) as Omit<Properties, "type">),
      text: this.text(id).toString(),
      children,
    };
  }
}
