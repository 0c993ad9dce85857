/** Changes as Automerge writes them, and the names of what is in them. */
import * as A from "@automerge/automerge";
import type { Actor, Change, DocumentId } from "../../contract.ts";
import { type RawChange, type RawOp, readChange } from "./columns.ts";
import { LedgerError } from "./errors.ts";
import { actorName } from "./values.ts";

/** `<counter>@<writer>`: Automerge's name of an operation, and of what it made. */
export type OpId = string;
/** An actor of a document, as Automerge knows it. */
export type Writer = string;
/** `<actor>:<seq>`: a change. */
export type Tag = string;
export interface Origin {
  readonly actor: Actor;
  readonly seq: number;
}

export interface Decoded {
  readonly change: Change;
  readonly hash: string;
  readonly deps: readonly string[];
  readonly startOp: number;
  /** How many operations there are. */
  readonly size: number;
  readonly ops: readonly RawOp[];
}

/** The root of a board; all of it is made by the first change, which everybody makes alike. */
export interface Root extends Record<string, unknown> {
  /** By key. */
  shapes: Record<string, Record<string, unknown>>;
  /** One element for each place that a shape was ever put to, from the lowest to the highest. */
  moves: A.ImmutableString[];
  ledger: Record<string, A.ImmutableString>;
}

const hexOf = (text: string) => Buffer.from(text).toString("hex");
export const writerOf = (document: DocumentId, actor: Actor): Writer =>
  hexOf(`${document}/${actor}`);
export const tagOf = ({ actor, seq }: Origin): Tag => `${actor}:${seq}`;
export const opId = (counter: number, writer: Writer): OpId => `${counter}@${writer}`;

export function partsOf(id: OpId): readonly [counter: number, writer: Writer] {
  const at = id.indexOf("@");
  return [Number(id.slice(0, at)), id.slice(at + 1)];
}

/** A tag's change; undefined where it is none. */
export function originOf(tag: unknown): Origin | undefined {
  const [, actor, seq] = /^([a-z0-9-]{1,40}):([1-9]\d{0,9})$/.exec(String(tag)) ?? [];
  return actor === undefined ? undefined : { actor, seq: Number(seq) };
}

export interface Genesis {
  readonly bytes: Uint8Array;
  readonly hash: string;
  readonly maxOp: number;
  readonly shapes: OpId;
  readonly moves: OpId;
  readonly ledger: OpId;
}

/** Without a common beginning, each would make a board of its own. It also says whose board it is. */
export function genesisOf(document: DocumentId): Genesis {
  const writer = hexOf(document);
  const doc = A.change(A.init<Root>({ actor: writer }), { time: undefined }, (root) => {
    root.shapes = {};
    root.moves = [];
    root.ledger = {};
  });
  const bytes = A.getLastLocalChange(doc) as Uint8Array;
  const { hash, ops } = A.decodeChange(bytes);
  const [shapes, moves, ledger] = ops.map((_, i) => opId(i + 1, writer)) as [OpId, OpId, OpId];
  return { bytes, hash, maxOp: ops.length, shapes, moves, ledger };
}

/** @throws LedgerError `INVALID_CHANGE` where it is broken, or of another actor or document */
export function decode(document: DocumentId, change: Change): Decoded {
  const isOne = actorName.safeParse(change?.actor).success && change.bytes instanceof Uint8Array;
  if (!isOne) throw invalidChange(change, "it is none");
  const decoded = read(document, change.bytes);
  if (decoded && tagOf(decoded.change) === tagOf(change)) return decoded;
  throw invalidChange(change, `it is broken, or not ${change.actor}'s change of ${document}`);
}

/** @returns undefined for what no replica writes */
export function read(document: DocumentId, bytes: Uint8Array): Decoded | undefined {
  const raw = parsedBy(bytes);
  if (!raw) return;
  const { hash, deps, seq, startOp, ops, size, time, message } = raw;
  const [board, actor = ""] = Buffer.from(raw.actor, "hex").toString().split("/");
  const isOf = board === document && raw.actor === writerOf(document, actor);
  if (!isOf || !actorName.safeParse(actor).success || time !== 0 || message !== "") return;
  return { change: { actor, seq, bytes }, hash, deps, startOp, ops, size };
}

function parsedBy(bytes: Uint8Array): RawChange | undefined {
  try {
    return readChange(bytes);
  } catch {
    return;
  }
}

export function invalidChange(change: Change, why: string, cause?: unknown): LedgerError {
  return new LedgerError(
    "INVALID_CHANGE",
    `Change ${change?.seq} of ${change?.actor} can't be taken (${why}). Ask whoever sent it for it again.`,
    { cause },
  );
}
