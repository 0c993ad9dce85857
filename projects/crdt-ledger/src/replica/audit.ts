/**
 * Whether an actor's replica can have made a change. Loro finds out whether the bytes are whole, and merges
 * any operation on anything; what this project's replicas write is a small part of that.
 */
import type { ContainerID, JsonChange, JsonOp, JsonValue } from "loro-crdt";
import type { Actor, Properties, ShapeId } from "../../contract.ts";
import { type Entry, isEntry, isId, PROPERTIES, SETTABLE } from "../model.ts";
import { DELETION, deletionBy } from "./board.ts";
import { counterOf, type Made } from "./containers.ts";

/** What a change touches, where it is sound as far as it can be told without what it had seen. */
export interface Audited {
  readonly seq: number;
  readonly slots: boolean;
  /** Maps and texts of shapes that were there before it. */
  readonly containers: ReadonlySet<ContainerID>;
  /** Shapes that it adds. */
  readonly made: readonly Made[];
  /** What it puts shapes into. */
  readonly parents: ReadonlySet<ShapeId>;
  readonly entries: readonly { readonly entry: Entry; readonly counter: number }[];
}

export const LOG: ContainerID = "cid:root-log:Map";
const SHAPES: ContainerID = "cid:root-shapes:Map";
const SLOTS: ContainerID = "cid:root-slots:List";
const ROOT = "cid:root-";
const NOTHING: readonly never[] = [];
const NO_PARENTS: ReadonlySet<ShapeId> = new Set();
export const ledgerOf = (actor: Actor) => `ledger-${actor}`;

/**
 * Loro joins an actor's consecutive changes into one. Each of ours begins with its own number.
 * @returns the operations of each, in order; what comes before the first number is one as well
 */
export function changesIn({ ops }: Pick<JsonChange, "ops">): JsonOp[][] {
  const changes: JsonOp[][] = [];
  for (const op of ops) {
    const current = changes.at(-1);
    if (op.container === LOG || !current) changes.push([op]);
    else current.push(op);
  }
  return changes;
}

/** @returns undefined where the actor's replica can't have made it */
export function audit(actor: Actor, ops: readonly JsonOp[]): Audited | undefined {
  const [first] = ops;
  const seq = first?.container === LOG ? insertedIn(first, actor) : undefined;
  if (!Number.isSafeInteger(seq)) return;
  const tag = `${actor}:${seq}`;
  const containers = new Set<ContainerID>();
  // Most changes only set something.
  let drafts: Map<ContainerID, Draft> | undefined;
  let texts: Set<ContainerID> | undefined;
  let parents: Set<ShapeId> | undefined;
  let entries: { entry: Entry; counter: number }[] | undefined;
  let slots = false;
  for (let i = 1; i < ops.length; i++) {
    const op = ops[i] as JsonOp;
    const { container, content } = op;
    if (!container.startsWith(ROOT)) {
      if (container.endsWith(":Text")) {
        if (!isTyping(op)) return;
        if (!texts?.has(container)) containers.add(container);
        continue;
      }
      const name = keyOf(op);
      if (name === undefined || !isField(op, actor, tag)) return;
      const value = insertedIn(op, name);
      if (name === "place") parents = addParent(parents, value);
      const draft = drafts?.get(container);
      // What a shape is, and its text, it has from the first.
      if (!draft && (name === "type" || name === "text")) return;
      if (draft) draft.fields.set(name, value);
      else containers.add(container);
      if (name === "text") {
        texts ??= new Set();
        texts.add(containerIn(op, name, "Text") as ContainerID);
      }
    } else if (container === SLOTS) {
      const ours = (slot: JsonValue) => typeof slot === "string" && slot.startsWith(`${tag}:`);
      if (content.type !== "insert" || !valuesOf(op)?.every(ours)) return;
      slots = true;
    } else if (container === `${ROOT}${ledgerOf(actor)}:List`) {
      const values = valuesOf(op);
      if (!values?.every(isEntry)) return;
      entries ??= [];
      for (const [n, entry] of values.entries()) entries.push({ entry, counter: op.counter + n });
    } else if (container === SHAPES) {
      const added = keyOf(op);
      const map = added === undefined ? undefined : containerIn(op, added, "Map");
      if (!added || !isId(added) || !map) return;
      drafts ??= new Map();
      drafts.set(map, { shape: added, fields: new Map() });
    } else return;
  }
  const made = drafts ? [...drafts].map(([map, draft]) => madeOf(actor, map, draft)) : NOTHING;
  if (!made.every((one) => one !== undefined)) return;
  return {
    seq: seq as number,
    slots,
    containers,
    made,
    parents: parents ?? NO_PARENTS,
    entries: entries ?? NOTHING,
  };
}

/** A shape whose map is being filled. */
interface Draft {
  readonly shape: ShapeId;
  readonly fields: Map<string, JsonValue | undefined>;
}

const IS_SETTABLE: ReadonlySet<string> = new Set(SETTABLE);
const WHOLE = ["type", ...SETTABLE, "place", "text"];

function madeOf(actor: Actor, map: ContainerID, { shape, fields }: Draft): Made | undefined {
  if (!WHOLE.every((name) => fields.has(name))) return;
  const text = containerOf(fields.get("text"), "Text") as ContainerID;
  const type = fields.get("type") as Properties["type"];
  return { shape, type, map, text, origin: { actor, counter: counterOf(map) } };
}

function addParent(
  parents: Set<ShapeId> | undefined,
  place: JsonValue | undefined,
): Set<ShapeId> | undefined {
  const [parent] = place as (JsonValue | undefined)[];
  return typeof parent === "string" ? (parents ?? new Set()).add(parent) : parents;
}

function keyOf({ content }: JsonOp): string | undefined {
  return "key" in content && content.type === "insert" ? content.key : undefined;
}

function insertedIn(op: JsonOp, key: string): JsonValue | undefined {
  const { content } = op;
  return keyOf(op) === key && "value" in content ? content.value : undefined;
}

function valuesOf({ content }: JsonOp): JsonValue[] | undefined {
  if (content.type !== "insert" || !("value" in content)) return;
  // The types say one value; Loro says all that were inserted at once.
  return Array.isArray(content.value) ? content.value : undefined;
}

const CONTAINER = "🦜:";

function containerOf(value: JsonValue | undefined, type: "Map" | "Text"): ContainerID | undefined {
  const is = typeof value === "string" && value.startsWith(`${CONTAINER}cid:`);
  if (is && value.endsWith(`:${type}`)) return value.slice(CONTAINER.length) as ContainerID;
}

function isContainer(value: JsonValue | undefined, type: "Map" | "Text"): boolean {
  return containerOf(value, type) !== undefined;
}

function containerIn(op: JsonOp, key: string, type: "Map" | "Text"): ContainerID | undefined {
  return containerOf(insertedIn(op, key), type);
}

function isTyping({ content }: JsonOp): boolean {
  return content.type === "delete" || (content.type === "insert" && "text" in content);
}

function isField(op: JsonOp, actor: Actor, tag: string): boolean {
  const name = keyOf(op);
  if (name === undefined) return false;
  const value = insertedIn(op, name);
  if (name === "text") return isContainer(value, "Text");
  if (name === "type") return PROPERTIES.type(value);
  if (name.startsWith(DELETION)) {
    if (name === deletionBy(tag)) return value === true;
    // An earlier deletion, of this actor's, that is taken back.
    return name.startsWith(deletionBy(`${actor}:`)) && value === false;
  }
  if (!Array.isArray(value) || typeof value.at(-1) !== "string") return false;
  if (name === "place") {
    // A null within an array is undefined in what Loro tells here.
    const [parent, slot] = value as (JsonValue | undefined)[];
    return value.length === 3 && (parent == null || isId(parent)) && typeof slot === "string";
  }
  return (
    IS_SETTABLE.has(name) && value.length === 2 && PROPERTIES[name as keyof Properties](value[0])
  );
}
