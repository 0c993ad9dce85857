/** What a change is made of, and how it is written down: JSON, with a hash before it. */
import { createHash } from "node:crypto";
import { z } from "zod";
import type { Change, DocumentId, Properties } from "../../contract.ts";
import { LedgerError } from "../../src/errors.ts";
import { type Entry, isActor, isEntry, isId, PROPERTIES, SETTABLE } from "../../src/model.ts";

/** Of the hash, in bytes: it finds what got broken on its way. What was forged is found by what it says. */
const HASH_BYTES = 8;

const count = z.int().nonnegative();
const element = z.tuple([z.string(), count, count]).readonly();
const range = z.tuple([z.string(), count, count, count.positive()]).readonly();
const gap = { left: element.nullable(), right: element.nullable() };
const shape = z.custom<string>(isId);
const parent = shape.nullable();
/** Names one addition of a shape: `<id> <actor>:<seq>`. */
const of = z.string();
const tag = z.string();
const isAllOf = (value: unknown): value is Properties =>
  typeof value === "object" &&
  value !== null &&
  Object.keys(value).length === Object.keys(PROPERTIES).length &&
  Object.entries(PROPERTIES).every(([name, isOne]) => isOne((value as never)[name]));
const isSettable = ({
  name,
  value,
}: {
  readonly name: keyof Properties;
  readonly value: unknown;
}) => PROPERTIES[name](value);

const operation = z.union([
  z.strictObject({
    op: z.literal("add"),
    shape,
    properties: z.custom<Properties>(isAllOf),
    parent,
    ...gap,
  }),
  /** A property's new value; `tag` says which change it is of, where that isn't this one. */
  z
    .strictObject({
      op: z.literal("set"),
      of,
      name: z.enum(SETTABLE as [keyof Properties]),
      value: z.union([z.string(), z.number()]),
      tag: tag.optional(),
    })
    .refine(isSettable),
  /** Into a group, to a height of its own. */
  z.strictObject({ op: z.literal("put"), of, parent, ...gap }),
  /** Into a group, to a height that it has had. */
  z.strictObject({ op: z.literal("back"), of, parent, slot: element, tag: tag.optional() }),
  z.strictObject({ op: z.literal("delete"), of }),
  z.strictObject({ op: z.literal("undelete"), of, deletion: tag }),
  z.strictObject({
    op: z.literal("type"),
    of,
    text: z.string().refine((text) => text.isWellFormed()),
    ...gap,
  }),
  z.strictObject({
    op: z.literal("erase"),
    of,
    ranges: z.array(range).readonly(),
  }),
  z.strictObject({ op: z.literal("pay"), entry: z.custom<Entry>(isEntry) }),
]);
export type Operation = z.infer<typeof operation>;

const content = z.strictObject({
  document: z.string(),
  actor: z.string(),
  seq: count.positive(),
  /** Of others, up to which `seq` its actor had seen all; without what the change before it says alike. */
  seen: z.record(z.custom<string>(isActor), count.positive()),
  operations: z.array(operation),
});
export type Content = z.infer<typeof content>;

export function encode(of: Content): Uint8Array {
  const text = Buffer.from(JSON.stringify(of));
  return new Uint8Array(Buffer.concat([hashOf(text), text]));
}

/** @throws LedgerError `INVALID_CHANGE` where it is broken, or of another actor or document */
export function decode(document: DocumentId, change: Change): Content {
  const { actor, seq, bytes } = change ?? {};
  if (!isActor(actor) || !(bytes instanceof Uint8Array)) throw invalidChange(change, "it is none");
  const [hash, text] = [bytes.subarray(0, HASH_BYTES), Buffer.from(bytes.subarray(HASH_BYTES))];
  if (!hashOf(text).equals(hash)) throw invalidChange(change, "it is broken");
  const { data } = content.safeParse(jsonOf(text));
  if (data?.document !== document || data.actor !== actor || data.seq !== seq) {
    throw invalidChange(change, `it is not ${actor}'s change of ${document}`);
  }
  return data;
}

export function invalidChange(change: Change | undefined, why: string): LedgerError {
  return new LedgerError(
    "INVALID_CHANGE",
    `Change ${change?.seq} of ${change?.actor} can't be taken (${why}). Ask whoever sent it for it again.`,
  );
}

function hashOf(text: Uint8Array): Buffer {
  return createHash("sha256").update(text).digest().subarray(0, HASH_BYTES);
}

function jsonOf(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString());
  } catch {
    return undefined;
  }
}
