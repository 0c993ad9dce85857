/** What the contract's types allow: everything that comes from outside is asked here first. */
import type { Actor, DocumentId, Edit, Properties, Version } from "../contract.ts";
import { LedgerError } from "./errors.ts";

const LARGEST_AMOUNT = 1_000_000_000;
/** The most code units that one edit puts in or takes out. */
const LONGEST_TEXT = 100_000;
const TYPES: ReadonlySet<unknown> = new Set(["rectangle", "ellipse", "line", "text", "group"]);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;
const isNumber = (value: unknown) => typeof value === "number" && Number.isFinite(value);

function isName(value: unknown, longest: number): value is string {
  return typeof value === "string" && value.length <= longest && /^[a-z0-9-]+$/.test(value);
}

export const isActor = (value: unknown): value is Actor => isName(value, 40);
export const isDocumentId = (value: unknown): value is DocumentId => isName(value, 60);
/** Of a shape, or of an account. */
export const isId = (value: unknown): value is string => isName(value, 60);

/** How far a version goes for one actor, who may be called `constructor` as well. */
export function seqIn(version: Version, actor: Actor): number {
  return Object.hasOwn(version, actor) ? (version[actor] ?? 0) : 0;
}

/** What each property may be. `type` is set once, when the shape is added. */
export const PROPERTIES: { readonly [K in keyof Properties]: (value: unknown) => boolean } = {
  type: (value) => TYPES.has(value),
  x: isNumber,
  y: isNumber,
  width: isNumber,
  height: isNumber,
  color: (value) => typeof value === "string" && /^#[0-9a-f]{6}$/i.test(value),
};
const NAMES = Object.keys(PROPERTIES) as (keyof Properties)[];
export const SETTABLE = NAMES.filter((name) => name !== "type");

/** In the order of {@link PROPERTIES}, so that a shape's properties are told alike everywhere. */
export function entriesOf(properties: Partial<Properties>): [keyof Properties, string | number][] {
  return NAMES.flatMap((name) => {
    const value = properties[name];
    return value === undefined ? [] : [[name, value]];
  });
}

function areProperties(value: unknown, names: readonly string[], all: boolean): boolean {
  if (!isRecord(value)) return false;
  const given = Object.keys(value);
  return (
    given.every(
      (name) => names.includes(name) && PROPERTIES[name as keyof Properties](value[name]),
    ) &&
    (!all || given.length === names.length)
  );
}

const isAmount = (value: unknown) =>
  isCount(value) && (value as number) >= 1 && (value as number) <= LARGEST_AMOUNT;

type Rule = (edit: Record<string, unknown>) => boolean;
const isPlace: Rule = ({ shape, parent, above }) =>
  isId(shape) && (parent === null || isId(parent)) && (above === null || isId(above));

const RULES: { readonly [K in Edit["kind"]]: Rule } = {
  add: (edit) => isPlace(edit) && areProperties(edit.properties, NAMES, true),
  set: ({ shape, properties }) => isId(shape) && areProperties(properties, SETTABLE, false),
  move: isPlace,
  delete: ({ shape }) => isId(shape),
  insert: ({ shape, at, text }) =>
    isId(shape) &&
    isCount(at) &&
    typeof text === "string" &&
    text.length <= LONGEST_TEXT &&
    text.isWellFormed(),
  remove: ({ shape, at, length }) =>
    isId(shape) && isCount(at) && isCount(length) && length <= LONGEST_TEXT,
  issue: ({ account, amount }) => isId(account) && isAmount(amount),
  transfer: ({ from, to, amount }) => isId(from) && isId(to) && isAmount(amount),
  lend: ({ account, to, amount }) => isId(account) && isActor(to) && isAmount(amount),
};

export type Entry = Extract<Edit, { kind: "issue" | "transfer" | "lend" }>;
export type BoardEdit = Exclude<Edit, Entry>;

export function isEntry(value: unknown): value is Entry {
  if (!isRecord(value)) return false;
  const { kind } = value;
  return (kind === "issue" || kind === "transfer" || kind === "lend") && RULES[kind](value);
}

/** @throws `INVALID_EDIT` where a value is none that the types allow */
export function assertEdits(edits: unknown): asserts edits is readonly Edit[] {
  if (!Array.isArray(edits)) throw new LedgerError("INVALID_EDIT", "Edits come as an array.");
  for (const edit of edits) {
    const rule = isRecord(edit) && Object.hasOwn(RULES, String(edit.kind));
    if (!rule || !RULES[edit.kind as Edit["kind"]](edit)) {
      throw new LedgerError("INVALID_EDIT", `This is no edit: ${JSON.stringify(edit)}.`);
    }
  }
}
