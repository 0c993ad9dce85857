import { createHash } from "node:crypto";
import type { EventType, WebhookEvent } from "../../contract.ts";

export type Told =
  | { readonly kind: "event"; readonly event: WebhookEvent & { readonly type: EventType } }
  | { readonly kind: "other" }
  | { readonly kind: "poison"; readonly eventId: string | null; readonly reason: string };

const TYPES: readonly string[] = [
  "payment.authorized",
  "payment.captured",
  "payment.refunded",
  "payment.disputed",
] satisfies EventType[];

/** What a text of PostgreSQL, and an index on it, can hold. */
export const isStorable = (text: string): boolean =>
  text.length <= 500 && !text.includes("\0") && text.isWellFormed();

const isName = (value: unknown): value is string =>
  typeof value === "string" && value !== "" && isStorable(value);

const needs: Record<keyof WebhookEvent, (value: unknown) => boolean> = {
  id: isName,
  type: isName,
  created: (value) => Number.isSafeInteger(value),
  payment: isName,
  subject: isName,
  order: isName,
  amount: (value) => typeof value === "string" && /^(?!0+$)[0-9]{1,17}$/.test(value),
  currency: (value) => typeof value === "string" && /^[A-Z]{3}$/.test(value),
};

export function read(rawBody: Uint8Array): Told {
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(rawBody));
  } catch {
    return { kind: "poison", eventId: null, reason: "the body is not JSON in UTF-8" };
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return { kind: "poison", eventId: null, reason: "the body is no JSON object" };
  }
  const fields = body as Record<string, unknown>;
  if (typeof fields.type === "string" && !TYPES.includes(fields.type)) return { kind: "other" };
  const wrong = Object.entries(needs)
    .filter(([name, fits]) => !fits(fields[name]))
    .map(([name]) => name);
  if (wrong.length > 0) {
    const eventId = typeof fields.id === "string" && fields.id !== "" ? fields.id : null;
    return { kind: "poison", eventId, reason: `missing or malformed: ${wrong.join(", ")}` };
  }
  return { kind: "event", event: fields as unknown as WebhookEvent & { type: EventType } };
}

/** What "put aside once" goes by: the notification where it has an id, else the bytes. */
export function quarantineKey(eventId: string | null, rawBody: Uint8Array): string {
  const digest = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");
  if (eventId === null) return `body:${digest(rawBody)}`;
  const literal = JSON.stringify(eventId);
  return literal.length <= 600 ? `event:${literal}` : `event#${digest(literal)}`;
}
