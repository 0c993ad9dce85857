/** From bytes that the provider signed to something that can be applied, ignored, or put aside. */
import { createHash } from "node:crypto";
import { z } from "zod";

/** Short enough for an index, and without U+0000, which PostgreSQL's text doesn't take. */
const name = z
  .string()
  .min(1)
  .max(100)
  .regex(/^\P{Cc}*$/u);

const schema = z.object({
  id: name,
  type: z.enum(["payment.authorized", "payment.captured", "payment.refunded", "payment.disputed"]),
  payment: name,
  subject: name,
  order: name,
  amount: z.string().regex(/^[1-9]\d{0,16}$/),
  currency: z.string().regex(/^[A-Z]{3}$/),
});

export type Event = z.infer<typeof schema>;

export type Content =
  | { readonly kind: "event"; readonly event: Event }
  /** Genuine, and none of our business. */
  | { readonly kind: "other" }
  /** `key`: the same whenever it is sent again. */
  | {
      readonly kind: "poison";
      readonly key: string;
      readonly eventId: string | null;
      readonly reason: string;
    };

const header = z.object({ id: name, type: z.string() });

export function contentOf(body: Uint8Array): Content {
  const poison = (eventId: string | null, reason: string): Content => ({
    kind: "poison",
    key: eventId ?? createHash("sha256").update(body).digest("hex"),
    eventId,
    reason,
  });
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    return poison(null, "The body is no JSON.");
  }
  const head = header.safeParse(json);
  if (!head.success) return poison(idOf(json), z.prettifyError(head.error));
  if (!(schema.shape.type.options as readonly string[]).includes(head.data.type)) {
    return { kind: "other" };
  }
  const event = schema.safeParse(json);
  if (!event.success) return poison(head.data.id, z.prettifyError(event.error));
  return { kind: "event", event: event.data };
}

function idOf(json: unknown): string | null {
  const found = z.object({ id: name }).safeParse(json);
  return found.success ? found.data.id : null;
}
