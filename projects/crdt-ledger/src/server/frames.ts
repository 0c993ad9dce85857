/** What clients may say, and how it is written down. */
import { z } from "zod";
import type { Actor, Change, ClientFrame, ServerFrame, WireChange } from "../../contract.ts";
import type { Row } from "./log.ts";

const actor = z.string().regex(/^[a-z0-9-]{1,40}$/);
const seq = z.int32().positive();
/**
 * RFC 4648, 4, and what bytes there are is written in one way only (3.5). `z.base64()` has all of it decoded to find
 * out, and it is decoded once more for what is in it.
 */
const base64 = z
  .string()
  .regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/);

export const documentId = z.string().regex(/^[a-z0-9-]{1,60}$/);

export const cursor = z.object({
  type: z.literal("cursor"),
  actor,
  x: z.number(),
  y: z.number(),
});

const clientFrame = z.discriminatedUnion("type", [
  z.object({ type: z.literal("hello"), version: z.record(actor, seq) }),
  z.object({
    type: z.literal("push"),
    id: z.number(),
    changes: z.array(z.object({ actor, seq, bytes: base64 })).min(1),
  }),
  cursor.omit({ actor: true }),
]);

/** @returns undefined for whatever is no frame of a client's */
export function parseFrame(text: string): ClientFrame | undefined {
  try {
    return clientFrame.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export function write(frame: ServerFrame): string {
  return JSON.stringify(frame);
}

/** What a message says, one part after the other. */
export type Payload = readonly Uint8Array[];

export function payloadOf(frame: ServerFrame): Payload {
  return [Buffer.from(write(frame))];
}

export function lengthOf(payload: Payload): number {
  let length = 0;
  for (const part of payload) length += part.length;
  return length;
}

const TEXT_AND_LAST = 0x81;
const IN_16_BITS = 126;
const IN_64_BITS = 127;

/** What comes before a text message that a server sends: RFC 6455, 5.2. @param length of its payload, in bytes */
export function headerOf(length: number): Uint8Array {
  if (length < IN_16_BITS) return Buffer.from([TEXT_AND_LAST, length]);
  if (length < 2 ** 16) return Buffer.from([TEXT_AND_LAST, IN_16_BITS, length >> 8, length & 0xff]);
  const header = Buffer.from([TEXT_AND_LAST, IN_64_BITS, 0, 0, 0, 0, 0, 0, 0, 0]);
  header.writeBigUInt64BE(BigInt(length), 2);
  return header;
}

/** A change that came over the wire, or is to be sent. */
interface Wired extends Change {
  /** As it came: it is written in one way only. */
  readonly base64?: string;
}

export function fromWire({ actor, seq, bytes: base64 }: WireChange): Wired {
  return { actor, seq, bytes: Buffer.from(base64, "base64"), base64 };
}

export function toWire({ actor, seq, bytes, base64 }: Wired): WireChange {
  if (base64 !== undefined) return { actor, seq, bytes: base64 };
  const { buffer, byteOffset, length } = bytes;
  return { actor, seq, bytes: Buffer.from(buffer, byteOffset, length).toString("base64") };
}

/** As JSON: to have it looked for what has to be escaped in base64 takes longer than the rest. */
function written(change: Change): string {
  const { actor, seq, bytes } = toWire(change);
  return `{"actor":${JSON.stringify(actor)},"seq":${seq},"bytes":"${bytes}"}`;
}

/** Rows as a frame has them, each written down once for all who are sent it. */
export class Parcel {
  readonly #rows: readonly Row[];
  /** The frame that has all of them. */
  readonly #all: Buffer;
  /** Where each of them ends in it. */
  readonly #ends: number[] = [];
  /** Which of them are whose, in the order of their `seq`. */
  readonly #of: ReadonlyMap<Actor, readonly number[]>;

  /** @param rows in the order of the log */
  constructor(rows: readonly Row[]) {
    this.#rows = rows;
    const all = rows.map(written);
    let end = HEAD.length;
    for (const { length } of all) {
      this.#ends.push(end + length);
      end += length + COMMA.length;
    }
    // Nothing in it is beyond ASCII.
    this.#all = Buffer.from(`${HEAD}${all.join()}${TAIL}`, "latin1");
    this.#of = Map.groupBy(rows.keys(), (i) => rows[i]?.actor ?? "");
  }

  /** The position of the last one; 0 where there is none. */
  get end(): number {
    return this.#rows.at(-1)?.position ?? 0;
  }

  /** @returns a frame with those after `position` that aren't in `version`; null where there are none */
  frame(position: number, version: ReadonlyMap<Actor, number>): Payload | null {
    const first = this.#rows.findIndex((row) => row.position > position);
    if (first === -1) return null;
    const known: number[] = [];
    const add = (own: readonly number[] = [], seq = 0) => {
      for (const i of own) {
        if ((this.#rows[i]?.seq ?? 0) > seq) break;
        if (i >= first) known.push(i);
      }
    };
    // This is asked for each who is there: most lack all but their own.
    if (version.size < this.#of.size) {
      for (const [actor, seq] of version) add(this.#of.get(actor), seq);
    } else for (const [actor, own] of this.#of) add(own, version.get(actor));
    return first === 0 && known.length === 0 ? [this.#all] : this.#without(first, known);
  }

  /** @param first before which all are left out @param others that are left out, too */
  #without(first: number, others: number[]): Payload | null {
    const parts: Uint8Array[] = [];
    let from = first;
    for (const to of [...others.sort((a, b) => a - b), this.#rows.length]) {
      if (to > from) parts.push(parts.length > 0 ? COMMA : HEAD_BYTES, this.#written(from, to));
      from = to + 1;
    }
    return parts.length > 0 ? [...parts, TAIL_BYTES] : null;
  }

  #written(from: number, to: number): Uint8Array {
    const begin = from === 0 ? HEAD.length : (this.#ends[from - 1] ?? 0) + COMMA.length;
    return this.#all.subarray(begin, this.#ends[to - 1]);
  }
}

const HEAD = '{"type":"changes","changes":[';
const TAIL = "]}";
const COMMA = Buffer.from(",");
const HEAD_BYTES = Buffer.from(HEAD);
const TAIL_BYTES = Buffer.from(TAIL);
