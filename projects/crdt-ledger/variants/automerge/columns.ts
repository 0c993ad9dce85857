/**
 * Reads a change's bytes, as Automerge's binary format lays them down (automerge.org/automerge-binary-format-spec).
 * Automerge reads them as well, but hands each operation over property by property: a text of 60,000 characters
 * takes it a second and more.
 */
import { createHash } from "node:crypto";
import { inflateRawSync } from "node:zlib";
import { Column, Deltas, Reader, Truths } from "./reader.ts";

/** One operation; or several, where each puts in, or takes out, the character after the last one's. */
export interface RawOp {
  /** The how manieth of its change it is, or the first of them is, from 0. */
  readonly at: number;
  count: number;
  readonly action: string;
  readonly obj: string;
  readonly key: string | undefined;
  /** The element that it is about, or that it is put after. */
  readonly elemId: string | undefined;
  readonly insert: boolean;
  /** Undefined for what is neither a string nor a truth value. */
  value: string | boolean | undefined;
  readonly pred: readonly string[];
}

export interface RawChange {
  readonly hash: string;
  readonly deps: readonly string[];
  readonly actor: string;
  readonly seq: number;
  readonly startOp: number;
  readonly time: number;
  readonly message: string;
  /** How many operations there are. */
  readonly size: number;
  readonly ops: readonly RawOp[];
}

const MAGIC = "856f4a83";
const ACTIONS = ["makeMap", "set", "makeList", "del", "makeText"];
const [CHANGE, COMPRESSED] = [1, 2];
/** The most that compressed bytes may come to. */
const LARGEST = 64 * 1_024 * 1_024;
const FALSE = 1;
const TRUE = 2;
const STRING = 6;

/** @throws Error where it is no such change */
export function readChange(bytes: Uint8Array): RawChange {
  const chunk = new Reader(bytes);
  if (chunk.hex(4) !== MAGIC) throw new Error("It is none of Automerge's.");
  const checksum = chunk.hex(4);
  const kind = chunk.take(1)[0];
  const content = chunk.take(chunk.unsigned());
  if (!chunk.isAtEnd || (kind !== CHANGE && kind !== COMPRESSED))
    throw new Error("It is no change.");
  const body =
    kind === COMPRESSED ? inflateRawSync(content, { maxOutputLength: LARGEST }) : content;
  const header = [CHANGE, ...leb(body.length)];
  const hash = createHash("sha256").update(Uint8Array.from(header)).update(body).digest("hex");
  if (!hash.startsWith(checksum)) throw new Error("It is broken.");
  const reader = new Reader(body);
  const list = (read: () => string) => Array.from({ length: reader.unsigned() }, read);
  const deps = list(() => reader.hex(32));
  const actor = reader.hex();
  const [seq, startOp, time] = [reader.unsigned(), reader.unsigned(), reader.signed()];
  const message = reader.text();
  const actors = [actor, ...list(() => reader.hex())];
  const sizes = Array.from(
    { length: reader.unsigned() },
    () => [reader.unsigned(), reader.unsigned()] as const,
  );
  const columns = new Map(sizes.map(([column, size]) => [column, reader.take(size)]));
  if (!reader.isAtEnd) throw new Error("There is more than a change.");
  if (columns.size < sizes.length) throw new Error("It says something twice.");
  const { ops, size } = opsIn(columns, actors, startOp);
  return { hash, deps, actor, seq, startOp, time, message, ops, size };
}

type Id = readonly [counter: number | null, writer: number | null];

/** An operation on an element; the numbers of writers are places in the change's list of them, its own is 0. */
interface Element {
  readonly insert: boolean;
  readonly value: string | boolean | undefined;
  readonly action: string;
  readonly counter: number | null;
  readonly writer: number | null;
  readonly pred: readonly Id[];
}

function opsIn(
  columns: ReadonlyMap<number, Uint8Array>,
  actors: readonly string[],
  startOp: number,
): Pick<RawChange, "ops" | "size"> {
  const none = new Uint8Array();
  const left = new Set(columns.keys());
  const of = (column: number) => {
    left.delete(column);
    return columns.get(column) ?? none;
  };
  const counts = (column: number) => new Column(of(column), (reader) => reader.unsigned());
  const [objWriter, objCounter] = [counts(0x01), counts(0x02)];
  const [keyWriter, keyCounter] = [counts(0x11), new Deltas(of(0x13))];
  const keys = new Column(of(0x15), (reader) => reader.text());
  const inserts = new Truths(of(0x34));
  const actions = counts(0x42);
  const metas = counts(0x56);
  const raw = new Reader(of(0x57));
  const [predCount, predWriter, predCounter] = [counts(0x70), counts(0x71), new Deltas(of(0x73))];
  if (left.size > 0) throw new Error("It says what no board has.");
  const idOf = (counter: number | null, by: number | null) => {
    const writer = by === null ? undefined : actors[by];
    if (counter === null || writer === undefined) throw new Error("It names what can't be.");
    return `${counter}@${writer}`;
  };
  const ops: RawOp[] = [];
  let size = 0;
  let [inCounter, inWriter]: [number | null, number | null] = [null, null];
  let last: Element | undefined;
  for (; !actions.isAtEnd; size += 1) {
    const action = ACTIONS[actions.next() ?? -1];
    if (action === undefined) throw new Error("It does what no board does.");
    const [toCounter, toWriter] = [objCounter.next(), objWriter.next()];
    const key = keys.next() ?? undefined;
    const [counter, writer] = [keyCounter.next(), keyWriter.next()];
    const insert = inserts.next();
    const value = valueIn(metas.next() ?? 0, raw);
    const pred: Id[] = [];
    for (let i = predCount.next() ?? 0; i > 0; i--) {
      pred.push([predCounter.next(), predWriter.next()]);
    }
    const op: Element = { insert, value, action, counter, writer, pred };
    const run = ops.at(-1);
    const isSame = toCounter === inCounter && toWriter === inWriter && key === undefined;
    if (run && last && isSame && follows(op, last, startOp + size - 1)) {
      run.count += 1;
      if (insert) run.value = `${run.value}${value}`;
    } else {
      const isRoot = toCounter === null && toWriter === null;
      const isHead = counter === 0 && writer === null;
      ops.push({
        ...{ at: size, count: 1, action, key, insert, value },
        obj: isRoot ? "_root" : idOf(toCounter, toWriter),
        elemId: key !== undefined ? undefined : isHead ? "_head" : idOf(counter, writer),
        pred: pred.map((id) => idOf(...id)),
      });
    }
    last = op;
    inCounter = toCounter;
    inWriter = toWriter;
  }
  const all = [objWriter, objCounter, keyWriter, keyCounter, keys, inserts, metas, raw];
  const isRead = [...all, predCount, predWriter, predCounter].every(({ isAtEnd }) => isAtEnd);
  if (!isRead) throw new Error("There is more than its operations.");
  return { ops, size };
}

/** @param before the counter of the last one */
function follows(op: Element, last: Element, before: number): boolean {
  if (op.action !== last.action || op.insert !== last.insert) return false;
  if (op.insert) {
    const isAfter = op.counter === before && op.writer === 0 && op.pred.length === 0;
    return isAfter && isCharacter(op.value) && isCharacter(last.value) && last.pred.length === 0;
  }
  const isNext = op.counter === (last.counter ?? -1) + 1 && op.writer === last.writer;
  return op.action === "del" && isNext && isOver(op) && isOver(last);
}

const isOver = ({ pred: [first, ...others], counter, writer }: Element) =>
  first?.[0] === counter && first[1] === writer && others.length === 0;

function isCharacter(value: Element["value"]): boolean {
  if (typeof value !== "string") return false;
  return value.length === 1 || (value.length === 2 && (value.codePointAt(0) ?? 0) > 0xffff);
}

function valueIn(meta: number, raw: Reader): string | boolean | undefined {
  const [type, length] = [meta & 0x0f, meta >> 4];
  if (type === STRING) return raw.text(length);
  raw.take(length);
  return type === TRUE ? true : type === FALSE ? false : undefined;
}

function leb(value: number): number[] {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 0x80)) {
    if (left < 0x80) return [...bytes, left];
    bytes.push((left % 0x80) | 0x80);
  }
}
