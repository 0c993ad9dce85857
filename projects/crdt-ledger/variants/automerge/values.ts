/** What the contract's types allow, as schemas. */
import { z } from "zod";
import type { Edit, Properties, Settable } from "../../contract.ts";

const LARGEST_AMOUNT = 1_000_000_000;
/** The most code units that one edit puts in or takes out. */
const LONGEST_TEXT = 100_000;

export const actorName = z.string().regex(/^[a-z0-9-]{1,40}$/);
/** Of a document, a shape or an account. */
export const name = z.string().regex(/^[a-z0-9-]{1,60}$/);

const number = z.number();
export const fields = {
  x: number,
  y: number,
  width: number,
  height: number,
  color: z.string().regex(/^#[0-9a-f]{6}$/i),
} as const satisfies Record<keyof Settable, z.ZodType>;
export type Field = keyof typeof fields;
export const FIELDS = Object.keys(fields) as Field[];
export const shapeType = z.enum(["rectangle", "ellipse", "line", "text", "group"]);

const count = z.int().nonnegative();
const amount = z.int().min(1).max(LARGEST_AMOUNT);
const place = { shape: name, parent: name.nullable(), above: name.nullable() };

export const entry = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("issue"), account: name, amount }),
  z.strictObject({ kind: z.literal("transfer"), from: name, to: name, amount }),
  z.strictObject({ kind: z.literal("lend"), account: name, to: actorName, amount }),
]);
export type Entry = Extract<Edit, { kind: "issue" | "transfer" | "lend" }>;

const edit = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("add"),
    ...place,
    properties: z.strictObject({ type: shapeType, ...fields }),
  }),
  z.object({
    kind: z.literal("set"),
    shape: name,
    properties: z.strictObject(fields).partial(),
  }),
  z.object({ kind: z.literal("move"), ...place }),
  z.object({ kind: z.literal("delete"), shape: name }),
  z.object({
    kind: z.literal("insert"),
    shape: name,
    at: count,
    text: z
      .string()
      .max(LONGEST_TEXT)
      .refine((text) => text.isWellFormed()),
  }),
  z.object({
    kind: z.literal("remove"),
    shape: name,
    at: count,
    length: count.max(LONGEST_TEXT),
  }),
  ...entry.options,
]);
export const edits: z.ZodType<readonly Edit[]> = z.array(edit) as never;

export const isEntry = (edit: Edit): edit is Entry =>
  edit.kind === "issue" || edit.kind === "transfer" || edit.kind === "lend";

export function settableOf(properties: Settable | Properties): [Field, string | number][] {
  return FIELDS.flatMap((field) => {
    const value = properties[field];
    return value === undefined ? [] : [[field, value]];
  });
}
