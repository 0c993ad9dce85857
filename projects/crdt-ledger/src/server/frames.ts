/** What clients may say, and how it is written down. */
import { z } from "zod";
import type { Actor, Change, ClientFrame, ServerFrame, WireChange } from "../../contract.ts";
import type { Row } from "./log.ts";

const actor = z.string().regex(/^[a-z0-9-]{1,40}$/);
const seq = z.int32().positive();

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
    changes: z.array(z.object({ actor, seq, bytes: z.base64() })).min(1),
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

export function fromWire({ actor, seq, bytes }: WireChange): Change {
  return { actor, seq, bytes: Buffer.from(bytes, "base64") };
}

export function toWire({ actor, seq, bytes }: Change): WireChange {
  return { actor, seq, bytes: Buffer.from(bytes).toString("base64") };
}

/** Rows as a frame has them, each written down once for all who are sent it. */
export class Parcel {
  readonly #rows: readonly Row[];
  /** The frame that has all of them. */
  readonly #all: Buffer;
  /** Where each of them ends in it. */
  readonly #ends: number[] = [];
  /** Which of them are an actor's, in the order of their `seq`. */
  readonly #of: ReadonlyMap<Actor, readonly number[]>;

  /** @param rows in the order of the log */
  constructor(rows: readonly Row[]) {
    this.#rows = rows;
    const written = rows.map((row) => JSON.stringify(toWire(row)));
    let end = HEAD.length;
    for (const { length } of written) {
      this.#ends.push(end + length);
      end += length + COMMA.length;
    }
    // Nothing in it is beyond ASCII.
    this.#all = Buffer.from(`${HEAD}${written.join()}${TAIL}`, "latin1");
    this.#of = Map.groupBy(rows.keys(), (i) => rows[i]?.actor ?? "");
  }

  /** The position of the last one; 0 where there is none. */
  get end(): number {
    return this.#rows.at(-1)?.position ?? 0;
  }

  /** @returns a frame with those after `position` that aren't in `version`; null where there are none */
  frame(position: number, version: ReadonlyMap<Actor, number>): Buffer | null {
    const first = this.#rows.findIndex((row) => row.position > position);
    if (first === -1) return null;
    const known: number[] = [];
    for (const [actor, own] of this.#of) {
      const seq = version.get(actor) ?? 0;
      for (const i of own) {
        if ((this.#rows[i]?.seq ?? 0) > seq) break;
        if (i >= first) known.push(i);
      }
    }
    return first === 0 && known.length === 0 ? this.#all : this.#without(first, known);
  }

  /** @param first before which all are left out @param others that are left out, too */
  #without(first: number, others: number[]): Buffer | null {
    const runs: Buffer[] = [];
    let from = first;
    for (const to of [...others.sort((a, b) => a - b), this.#rows.length]) {
      if (to > from) runs.push(runs.length > 0 ? COMMA : HEAD_BYTES, this.#written(from, to));
      from = to + 1;
    }
    return runs.length > 0 ? Buffer.concat([...runs, TAIL_BYTES]) : null;
  }

  #written(from: number, to: number): Buffer {
    const begin = from === 0 ? HEAD.length : (this.#ends[from - 1] ?? 0) + COMMA.length;
    return this.#all.subarray(begin, this.#ends[to - 1]);
  }
}

const HEAD = '{"type":"changes","changes":[';
const TAIL = "]}";
const COMMA = Buffer.from(",");
const HEAD_BYTES = Buffer.from(HEAD);
const TAIL_BYTES = Buffer.from(TAIL);
