/** What clients may say, and how it is written down. */
import { z } from "zod";
import type { Change, ClientFrame, ServerFrame, WireChange } from "../../contract.ts";

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

/** Changes as a frame has them, each written down once for all who are sent it. */
export class Parcel {
  readonly #changes: readonly Change[];
  /** The frame that has all of them. */
  readonly #all: Buffer;
  /** Where each of them ends in it. */
  readonly #ends: number[] = [];

  constructor(changes: readonly Change[]) {
    this.#changes = changes;
    const written = changes.map((change) => JSON.stringify(toWire(change)));
    let end = HEAD.length;
    for (const { length } of written) {
      this.#ends.push(end + length);
      end += length + COMMA.length;
    }
    // Nothing in it is beyond ASCII.
    this.#all = Buffer.from(`${HEAD}${written.join()}${TAIL}`, "latin1");
  }

  /** @returns a frame with those that `isLacking`; null where there are none */
  frame(isLacking: (change: Change) => boolean): Buffer | null {
    const runs: Buffer[] = [];
    let begun = -1;
    const end = (before: number) => {
      if (begun === -1) return;
      if (runs.length > 0) runs.push(COMMA);
      const from = begun === 0 ? HEAD.length : (this.#ends[begun - 1] ?? 0) + COMMA.length;
      runs.push(this.#all.subarray(from, this.#ends[before - 1]));
      begun = -1;
    };
    let left = 0;
    for (const [i, change] of this.#changes.entries()) {
      if (!isLacking(change)) end(i);
      else {
        left += 1;
        if (begun === -1) begun = i;
      }
    }
    if (left === this.#changes.length) return left === 0 ? null : this.#all;
    end(this.#changes.length);
    return left === 0 ? null : Buffer.concat([HEAD_BYTES, ...runs, TAIL_BYTES]);
  }
}

const HEAD = '{"type":"changes","changes":[';
const TAIL = "]}";
const COMMA = Buffer.from(",");
const HEAD_BYTES = Buffer.from(HEAD);
const TAIL_BYTES = Buffer.from(TAIL);
