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
