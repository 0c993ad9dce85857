/** What comes over a connection: who it is, and what they say. */
import { jwtVerify } from "jose";
import { z } from "zod";
import type { Actor, Change, ClientFrame, DocumentId, WireChange } from "../../contract.ts";
import { actorName, name } from "./values.ts";

export const CLOSED = { away: 1001, later: 1013, misspoken: 4400, stranger: 4401 } as const;

export interface Admission {
  readonly actor: Actor;
  readonly document: DocumentId;
  /** When it ends, in milliseconds since the epoch. */
  readonly until: number;
}

const claims = z.object({ sub: actorName, doc: name, exp: z.number() });

/** @param path of the request, `/<document>?token=<token>` @returns null for whom it lets in nowhere */
export async function admit(path: string, secret: string): Promise<Admission | null> {
  try {
    const url = new URL(path, "ws://127.0.0.1");
    const key = new TextEncoder().encode(secret);
    // Who may choose the algorithm chooses `none`.
    const { payload } = await jwtVerify(url.searchParams.get("token") ?? "", key, {
      algorithms: ["HS256"],
    });
    const { sub, doc, exp } = claims.parse(payload);
    return url.pathname === `/${doc}` ? { actor: sub, document: doc, until: exp * 1_000 } : null;
  } catch {
    return null;
  }
}

const seq = z.int32().positive();
const point = { x: z.number(), y: z.number() };

const frame = z.discriminatedUnion("type", [
  z.object({ type: z.literal("hello"), version: z.record(actorName, seq) }),
  z.object({
    type: z.literal("push"),
    id: z.number(),
    changes: z.array(z.object({ actor: actorName, seq, bytes: z.base64() })).min(1),
  }),
  z.object({ type: z.literal("cursor"), ...point }),
]);

export const cursor = z.object({ type: z.literal("cursor"), actor: actorName, ...point });
export type Cursor = z.infer<typeof cursor>;

/** @returns undefined for whatever is no frame of a client's */
export function frameIn(text: string): ClientFrame | undefined {
  return frame.safeParse(jsonIn(text)).data;
}

export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function fromWire({ actor, seq, bytes }: WireChange): Change {
  return { actor, seq, bytes: new Uint8Array(Buffer.from(bytes, "base64")) };
}

export function toWire({ actor, seq, bytes }: Change): WireChange {
  return { actor, seq, bytes: Buffer.from(bytes).toString("base64") };
}
