/**
 * Whether an actor's replica can have made a change. Loro finds out whether the bytes are whole, and merges
 * any operation on anything; what this project's replicas write is a small part of that.
 */
import type { ContainerID, JsonChange, JsonOp, JsonValue } from "loro-crdt";
import type { Actor, Properties, ShapeId } from "../../contract.ts";
import { type Entry, isEntry, isId, PROPERTIES, SETTABLE } from "../model.ts";
import { deletionBy } from "./board.ts";

/** What a change touches, where it is sound. */
export interface Audited {
  readonly seq: number;
  readonly slots: boolean;
  /** Maps and texts of shapes. */
  readonly containers: ReadonlySet<ContainerID>;
  readonly shapes: ReadonlySet<ShapeId>;
  readonly entries: readonly { readonly entry: Entry; readonly counter: number }[];
}

export const LOG: ContainerID = "cid:root-log:Map";
const SHAPES: ContainerID = "cid:root-shapes:Map";
const SLOTS: ContainerID = "cid:root-slots:List";
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
  const [first, ...rest] = ops;
  const seq = first?.container === LOG ? insertedIn(first, actor) : undefined;
  if (!Number.isSafeInteger(seq)) return;
  const tag = `${actor}:${seq}`;
  const containers = new Set<ContainerID>();
  const shapes = new Set<ShapeId>();
  const entries: { entry: Entry; counter: number }[] = [];
  let slots = false;
  for (const op of rest) {
    const { container, content } = op;
    if (container === SLOTS) {
      const ours = (slot: JsonValue) => typeof slot === "string" && slot.startsWith(`${tag}:`);
      if (content.type !== "insert" || !valuesOf(op)?.every(ours)) return;
      slots = true;
    } else if (container === `cid:root-${ledgerOf(actor)}:List`) {
      const values = valuesOf(op);
      if (!values?.every(isEntry)) return;
      for (const [i, entry] of values.entries()) entries.push({ entry, counter: op.counter + i });
    } else if (container === SHAPES) {
      const added = keyOf(op);
      if (!added || !isId(added) || !isContainer(insertedIn(op, added), "Map")) return;
      shapes.add(added);
    } else if (container.startsWith("cid:root-")) {
      return;
    } else {
      if (container.endsWith(":Text") ? !isTyping(op) : !isField(op, actor, tag)) return;
      containers.add(container);
    }
  }
  return { seq: seq as number, slots, containers, shapes, entries };
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

function isContainer(value: JsonValue | undefined, type: "Map" | "Text"): boolean {
  return typeof value === "string" && value.startsWith("🦜:cid:") && value.endsWith(`:${type}`);
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
  if (name === deletionBy(tag)) return value === true;
  // An earlier deletion, of this actor's, that is taken back.
  if (name.startsWith(deletionBy(`${actor}:`))) return value === false;
  if (!Array.isArray(value) || typeof value.at(-1) !== "string") return false;
  if (name === "place") {
    // A null within an array is undefined in what Loro tells here.
    const [parent, slot] = value as (JsonValue | undefined)[];
    return value.length === 3 && (parent == null || isId(parent)) && typeof slot === "string";
  }
  const known = SETTABLE.some((settable) => settable === name);
  return known && value.length === 2 && PROPERTIES[name as keyof Properties](value[0]);
}
