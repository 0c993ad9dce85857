/** Whether an actor's replica can have made a change; what it says is added to the state as it is read. */

import { type Genesis, type OpId, type Origin, opId, originOf, partsOf, tagOf } from "./codec.ts";
import type { RawOp } from "./columns.ts";
import type { Elements } from "./elements.ts";
import { Unsound } from "./errors.ts";
import type { Sees } from "./ledger.ts";
import { DELETED, keyOf, parsed, readMove, type State } from "./state.ts";
import type { Added } from "./tree.ts";
import { entry, FIELDS, type Field, fields, name, shapeType } from "./values.ts";

export interface Writing {
  readonly origin: Origin;
  readonly writer: string;
  readonly startOp: number;
  readonly ops: readonly RawOp[];
  /** What its actor had seen, this change with it. */
  readonly sees: Sees;
}

const SCALARS: readonly string[] = ["type", ...FIELDS];

class Audit {
  readonly #state: State;
  readonly #genesis: Genesis;
  readonly #writing: Writing;
  readonly #tag: string;
  /** Shapes that it adds, with those of their fields that are there so far. */
  readonly #made = new Map<Added, Set<string>>();
  #moves = 0;
  #entries = 0;

  constructor(state: State, genesis: Genesis, writing: Writing) {
    this.#state = state;
    this.#genesis = genesis;
    this.#writing = writing;
    this.#tag = tagOf(writing.origin);
  }

  run(): void {
    const { ops, startOp, writer } = this.#writing;
    for (const op of ops) this.#take(op, startOp + op.at, opId(startOp + op.at, writer));
    for (const has of this.#made.values()) {
      const isWhole = [...SCALARS, "text", "place"].every((field) => has.has(field));
      assert(isWhole, "a shape that isn't whole");
    }
  }

  #take(op: RawOp, counter: number, id: OpId): void {
    const { shapes, moves, ledger } = this.#genesis;
    const elements = this.#state.elements.get(op.obj);
    const map = this.#state.maps.get(op.obj);
    assert(op.key === undefined || !op.insert, "an element of what is no list");
    if (op.obj === shapes) this.#add(op, counter, id);
    else if (op.obj === ledger) this.#pay(op);
    else if (map && op.key !== undefined) this.#set(map, op, op.key, id);
    else if (elements) this.#edit(elements, op, counter, op.obj === moves);
    else throw new Unsound("something that is on no board");
  }

  #add({ action, key = "", pred }: RawOp, counter: number, map: OpId): void {
    const { origin, writer, sees } = this.#writing;
    const [id = ""] = key.split(" ");
    const isNew = key === keyOf(id, origin) && pred.length === 0;
    assert(action === "makeMap" && isNew && isName(id), "no shape");
    assert(!this.#state.tree.named(id).some((one) => sees(one.origin)), "a shape that was there");
    const type = "group";
    const added: Added = { key, id, type, origin, order: [counter, writer], map };
    this.#state.addShape(added);
    this.#made.set(added, new Set());
  }

  #set(shape: Added, op: RawOp, field: string, id: OpId): void {
    const { sees } = this.#writing;
    const made = this.#made.get(shape);
    assert(sees(shape.origin), "a shape that it had not seen");
    const slot = `${shape.key} ${field}`;
    const seen = op.pred.map((before) => this.#state.values.get(before));
    const isOver = seen.every((before) => before?.field === slot && sees(before.origin));
    assert(isOver, "a value over one that it had not seen");
    if (field === "text") {
      assert(op.action === "makeText" && made && !made.has(field), "another text");
      this.#state.addText(id);
    } else if (field === "type") {
      const type = shapeType.safeParse(scalar(op));
      assert(type.success && made && !made.has(field), "another type");
      shape.type = type.data;
    } else if (field.startsWith(DELETED)) this.#delete(op, field.slice(DELETED.length));
    else {
      const said = parsed(String(scalar(op)));
      assert(
        isTagged(field, said, (tag) => this.#isSeen(tag)),
        "no value",
      );
    }
    this.#state.addValue(id, slot, this.#writing.origin);
    made?.add(field);
  }

  #delete(op: RawOp, tag: string): void {
    if (op.action === "set") {
      assert(tag === this.#tag && op.value === true && op.pred.length === 0, "no deletion");
    } else {
      const { actor } = this.#writing.origin;
      const isOwn = originOf(tag)?.actor === actor && op.pred.length === 1;
      assert(op.action === "del" && isOwn, "another one's deletion, undone");
    }
  }

  #edit(elements: Elements, op: RawOp, from: number, isMove: boolean): void {
    const { elemId = "", insert, pred, count } = op;
    const { sees, origin, writer } = this.#writing;
    const [counter, by] = partsOf(elemId);
    const isSeen = (length: number) =>
      elements.isSeen({ writer: by, from: counter, count: length }, sees);
    if (op.action === "del" && !isMove) {
      const isOver = pred.length === 1 && pred[0] === elemId;
      assert(isOver && isSeen(count), "no character to remove");
      return;
    }
    const value = scalar(op);
    assert(insert && pred.length === 0 && typeof value === "string", "no element");
    assert(elemId === "_head" || isSeen(1), "an element beside one that it had not seen");
    if (isMove) this.#move(value, from);
    else assert([...value].length === count, "no character");
    this.#state.addElements(elements, { writer, from, count }, origin);
  }

  #move(element: string, counter: number): void {
    const { writer, sees } = this.#writing;
    const move = readMove(element);
    assert(move?.name === `${this.#tag}:${this.#moves}`, "no place");
    this.#moves += 1;
    const shape = this.#state.shapes.get(move.key);
    assert(shape && sees(shape.origin) && this.#isSeen(move.tag), "a shape that it had not seen");
    const { parent } = move;
    const groups = parent === null ? [] : this.#state.tree.named(parent);
    const isGroup = groups.some(({ type, origin }) => type === "group" && sees(origin));
    assert(parent === null || isGroup, "a place in no group");
    this.#made.get(shape)?.add("place");
    this.#state.addMove({ ...move, order: [counter, writer] });
  }

  #pay(op: RawOp): void {
    const { origin, sees } = this.#writing;
    const isNext = op.key === `${this.#tag}:${this.#entries}` && op.pred.length === 0;
    const said = entry.safeParse(parsed(String(scalar(op))));
    assert(isNext && said.success, "no entry");
    this.#entries += 1;
    assert(!this.#state.ledger.whyNot(said.data, origin, sees), "money without a right to it");
    this.#state.pay(said.data, origin);
  }

  #isSeen(tag: unknown): boolean {
    const origin = originOf(tag);
    return origin !== undefined && this.#writing.sees(origin);
  }
}

/** @throws Unsound: some of it may have been added */
export function audit(state: State, genesis: Genesis, writing: Writing): void {
  new Audit(state, genesis, writing).run();
}

/** Whether a change issues money, whatever it had seen. */
export function isIssuing(ops: readonly RawOp[], { ledger }: Genesis): boolean {
  return ops
    .filter(({ obj }) => obj === ledger)
    .some((op) => entry.safeParse(parsed(String(scalar(op)))).data?.kind === "issue");
}

function scalar({ action, value }: RawOp): unknown {
  return action === "set" ? value : undefined;
}

function isTagged(field: string, said: unknown, isSeen: (tag: unknown) => boolean): boolean {
  if (!Array.isArray(said) || said.length !== 2 || !Object.hasOwn(fields, field)) return false;
  return fields[field as Field].safeParse(said[0]).success && isSeen(said[1]);
}

const isName = (value: unknown) => name.safeParse(value).success;

function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Unsound(what);
}
