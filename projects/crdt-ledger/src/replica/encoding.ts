/**
 * A change as others are sent it: after which operations it was made, and its own, as JSON behind a checksum. What
 * Loro exports it alone can read, by merging it; this can be looked at first, and many can be merged at once.
 *
 * Peers have their actors' names, containers those of the operations that made them, and what follows from the
 * change's actor and number isn't in it: the entry in the log, each operation's own counter, the actor's name
 * where it is about its own, and the tag of what it sets.
 */
import crc32 from "crc/calculators/crc32";
import type { ContainerID, JsonChange, JsonOp, JsonValue, OpId, PeerID } from "loro-crdt";
import type { Actor, Change, DocumentId } from "../../contract.ts";
import { isActor } from "../model.ts";
import { LOG } from "./audit.ts";
import type { Tag } from "./board.ts";
import { identityOf, peerOf } from "./identity.ts";

/** What is in a change's bytes. */
export interface Operations {
  /** The counter of the first one. */
  readonly from: number;
  /** The first counter after them. */
  readonly to: number;
  /** The newest operations that its actor had seen, its own among them: those that no other one had seen. */
  readonly seen: readonly OpId[];
  readonly ops: readonly JsonOp[];
}

/** What operations are read for. */
interface Reader {
  readonly document: DocumentId;
  readonly peer: PeerID;
  readonly tag: Tag;
}

type Written = readonly unknown[];
type Of = Pick<Change, "actor" | "seq">;

const CHECKSUM_BYTES = 4;
/** Loro's counters are of 32 bits. */
const LAST_COUNTER = 2 ** 31 - 1;
const CONTAINER = "🦜:";
const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/** @param changes what Loro says of it: one, or the pieces of a long one */
export function encode(
  document: DocumentId,
  change: Of,
  changes: readonly JsonChange[],
  actorOf: (peer: PeerID) => Actor,
): Uint8Array {
  const [first] = changes;
  const { peer: own, counter: from } = idIn(first?.id ?? "");
  const deps = (first?.deps ?? []).map(idIn);
  const others = deps.filter(({ peer }) => peer !== own);
  const seen = others.map(({ peer, counter }) => [actorOf(peer), counter]);
  const whose = (peer: PeerID) => (peer === own ? "" : `@${actorOf(peer)}`);
  // The first one is the entry in the log.
  const ops = changes.flatMap((piece) => piece.ops).slice(1);
  const written = ops.map((op) => write(op, whose, tagOf(change)));
  const isNext = deps.length > others.length;
  const body = utf8.encode(JSON.stringify([from, Number(isNext), seen, written]));
  const bytes = new Uint8Array(CHECKSUM_BYTES + body.length);
  viewOf(bytes).setInt32(0, checksumOf(document, change, body));
  bytes.set(body, CHECKSUM_BYTES);
  return bytes;
}

/** @returns undefined for what nobody has encoded, or for another document, actor or number */
export function decode(
  document: DocumentId,
  { actor, seq, bytes }: Change,
): Operations | undefined {
  if (bytes.length < CHECKSUM_BYTES) return;
  const body = bytes.subarray(CHECKSUM_BYTES);
  if (viewOf(bytes).getInt32(0) !== checksumOf(document, { actor, seq }, body)) return;
  const [from, isNext, seen, written] = parsed(body) ?? [];
  if (!isCounter(from) || !Array.isArray(seen) || !Array.isArray(written)) return;
  if (isNext !== 0 && (isNext !== 1 || from === 0)) return;
  const { peer } = identityOf(document, actor);
  const had: OpId[] = isNext === 1 ? [{ peer, counter: from - 1 }] : [];
  for (const one of seen) {
    const [who, counter] = Array.isArray(one) ? one : [];
    if (!isActor(who) || !isCounter(counter)) return;
    had.push({ peer: peerOf(document, who), counter });
  }
  const reader = { document, peer, tag: tagOf({ actor, seq }) };
  const numbered = { type: "insert", key: actor, value: seq } as const;
  const ops: JsonOp[] = [{ container: LOG, counter: from, content: numbered }];
  let to = from + 1;
  for (const one of written) {
    const op = Array.isArray(one) ? read(one, to, reader) : undefined;
    if (!op) return;
    ops.push(op);
    to += lengthOf(op);
    if (to > LAST_COUNTER) return;
  }
  return { from, to, seen: had, ops };
}

/** As Loro merges it; the Lamport number it finds by itself, whatever is said. */
export function toJson(peer: PeerID, { from, seen, ops }: Operations): JsonChange {
  const deps = seen.map(({ peer: of, counter }) => `${counter}@${of}` as const);
  return { id: `${from}@${peer}`, timestamp: 0, deps, lamport: 0, msg: null, ops: [...ops] };
}

/** @param whose of others: `@` and their names; nothing of its own */
function write({ container, content }: JsonOp, whose: (peer: PeerID) => string, tag: Tag): Written {
  const named = nameIn(container, whose);
  if ("key" in content) {
    if (content.type === "delete") return [named, content.key];
    const made = content.type === "insert" ? kindOf(content.value) : undefined;
    return [named, content.key, made ? { new: made } : shortened(content.value, tag)];
  }
  if (content.type === "insert" && "text" in content) return [named, content.pos, content.text];
  if (content.type === "insert" && "pos" in content) return [named, content.pos, content.value];
  if (content.type === "delete" && "start_id" in content) {
    const { peer, counter } = idIn(content.start_id);
    return [named, content.pos, content.len, `${counter}${whose(peer)}`];
  }
  throw new Error(`Replicas write nothing like this: ${JSON.stringify(content)}.`);
}

/** @returns undefined for what {@link write} never writes */
function read(
  [named, at, what, start]: Written,
  counter: number,
  reader: Reader,
): JsonOp | undefined {
  const container = containerOf(reader, named);
  if (container === undefined) return;
  if (typeof at === "string") {
    if (!container.endsWith(":Map") || what === undefined) return;
    const made = newIn(what);
    const value = made
      ? `${CONTAINER}cid:${counter}@${reader.peer}:${made}`
      : (lengthened(what, reader.tag) as JsonValue);
    return { container, counter, content: { type: "insert", key: at, value } };
  }
  if (!isCounter(at) || container.endsWith(":Map")) return;
  const isText = container.endsWith(":Text");
  if (isText && typeof what === "string" && what.length > 0 && what.isWellFormed()) {
    return { container, counter, content: { type: "insert", pos: at, text: what } };
  }
  if (!isText && Array.isArray(what) && what.length > 0) {
    return { container, counter, content: { type: "insert", pos: at, value: what } };
  }
  const id = operationOf(reader, start);
  if (!isText || !Number.isSafeInteger(what) || what === 0 || !id) return;
  const content = { type: "delete", pos: at, len: what as number, start_id: id } as const;
  return { container, counter, content };
}

function lengthOf({ content }: JsonOp): number {
  if ("len" in content) return Math.abs(content.len);
  if ("text" in content) return [...content.text].length;
  return "pos" in content && "value" in content ? (content.value as JsonValue[]).length : 1;
}

const ROOT = "cid:root-";

function nameIn(container: ContainerID, whose: (peer: PeerID) => string): string {
  if (container.startsWith(ROOT)) return container.slice(ROOT.length);
  const [id = "", kind] = container.slice("cid:".length).split(":");
  const { peer, counter } = idIn(id);
  return `${counter}${whose(peer)}:${kind}`;
}

const IN_A_CONTAINER = /^([^:]+):(Map|List|Text)$/;
const ROOT_NAME = /^[a-z][a-z0-9-]{0,60}$/;
/** What was read last: who drags or types changes the same thing many times. */
let latest: { peer: PeerID; named: string; container: ContainerID } | undefined;

function containerOf(reader: Reader, named: unknown): ContainerID | undefined {
  if (typeof named !== "string") return;
  const { peer } = reader;
  if (named === latest?.named && peer === latest.peer) return latest.container;
  const [, name, kind] = IN_A_CONTAINER.exec(named) ?? [];
  if (name === undefined) return;
  const id = ROOT_NAME.test(name) ? `root-${name}` : operationOf(reader, name);
  if (id === undefined) return;
  const container = `cid:${id}:${kind as "Map"}` as ContainerID;
  latest = { peer, named, container };
  return container;
}

const OPERATION = /^(\d{1,10})(?:@([a-z0-9-]{1,40}))?$/;

function operationOf({ document, peer }: Reader, name: unknown): `${number}@${PeerID}` | undefined {
  const [, counter, actor] = (typeof name === "string" && OPERATION.exec(name)) || [];
  if (counter === undefined) return;
  return `${Number(counter)}@${actor === undefined ? peer : peerOf(document, actor)}`;
}

/** Stands for the change's own tag, where a value says last which change it comes from. */
const OWN = "";

/** Most are numbers with that tag: of those, the number says it all. */
function shortened(value: unknown, tag: Tag): unknown {
  if (!Array.isArray(value) || value.at(-1) !== tag) return value;
  const [number] = value;
  return value.length === 2 && typeof number === "number" ? number : value.with(-1, OWN);
}

function lengthened(value: unknown, tag: Tag): unknown {
  if (typeof value === "number") return [value, tag];
  return Array.isArray(value) && value.at(-1) === OWN ? value.with(-1, tag) : value;
}

const tagOf = ({ actor, seq }: Of): Tag => `${actor}:${seq}`;

/** What kind of container a value stands for that its operation makes. */
function kindOf(value: JsonValue | undefined): string | undefined {
  if (typeof value === "string" && value.startsWith(`${CONTAINER}cid:`))
    return value.split(":").at(-1);
}

function newIn(what: unknown): "Map" | "Text" | undefined {
  if (typeof what !== "object" || what === null || !("new" in what)) return;
  return what.new === "Map" || what.new === "Text" ? what.new : undefined;
}

function parsed(body: Uint8Array): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(strictUtf8.decode(body));
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** It finds what was broken on its way. Who forges a change makes its checksum as well: that is for the audit. */
function checksumOf(document: DocumentId, { actor, seq }: Of, body: Uint8Array): number {
  return crc32(body, identityOf(document, actor).checksum) ^ seq;
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function isCounter(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= LAST_COUNTER;
}

function idIn(id: string): OpId {
  const [counter, peer] = id.split("@");
  return { counter: Number(counter), peer: peer as PeerID };
}
