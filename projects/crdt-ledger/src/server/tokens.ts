/** Who a client is, and which document it may have. */
import { jwtVerify } from "jose";
import { z } from "zod";
import type { Actor, DocumentId } from "../../contract.ts";

export interface Admission {
  readonly actor: Actor;
  readonly document: DocumentId;
  /** When it ends, in milliseconds since the epoch. */
  readonly until: number;
}

const claims = z.object({
  sub: z.string().regex(/^[a-z0-9-]{1,40}$/),
  doc: z.string().regex(/^[a-z0-9-]{1,60}$/),
  exp: z.number(),
});

/** @param path of the request, `/<document>?token=<token>` @returns null for whom it lets in nowhere */
export async function admit(path: string, secret: string): Promise<Admission | null> {
  try {
    const url = new URL(path, "ws://127.0.0.1");
    const token = url.searchParams.get("token") ?? "";
    // Who may choose the algorithm chooses `none`.
    const key = new TextEncoder().encode(secret);
    const { payload } = await jwtVerify(token, key, { algorithms: ["HS256"] });
    const { sub, doc, exp } = claims.parse(payload);
    if (url.pathname !== `/${doc}`) return null;
    return { actor: sub, document: doc, until: exp * 1_000 };
  } catch {
    return null;
  }
}
