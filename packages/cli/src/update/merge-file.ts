/** Three versions of one file become one. */
import { merge } from "node-diff3";
import { isBinary } from "../files.ts";
import type { Content } from "./tree.ts";

export interface MergedFile {
  readonly content: Content;
  /** What a person has to decide; empty: nothing. */
  readonly conflicts: readonly string[];
}

/** Who the sides are, in the marks of a conflict. */
export interface Sides {
  readonly yours: string;
  readonly theirs: string;
}

/**
 * Merges changes of both sides: JSON by its keys, other text by its lines.
 * @returns undefined for what is no text
 */
export function mergeFile(
  path: string,
  base: Content,
  yours: Content,
  theirs: Content,
  sides: Sides,
): MergedFile | undefined {
  const executable = yours.executable === base.executable ? theirs.executable : yours.executable;
  const versions = [base, yours, theirs].map(({ bytes }) => bytes);
  if (versions.some(isBinary)) return undefined;
  const [b = "", y = "", t = ""] = versions.map((bytes) => bytes.toString("utf8"));
  const merged =
    (path.endsWith(".json") && mergeJson(b, y, t, sides)) || mergeLines(b, y, t, sides);
  return {
    content: { bytes: Buffer.from(merged.text), executable },
    conflicts: merged.conflicts,
  };
}

interface MergedText {
  readonly text: string;
  readonly conflicts: readonly string[];
}

function mergeLines(base: string, yours: string, theirs: string, sides: Sides): MergedText {
  // An editor that ends lines in its own way has changed none of them.
  const end = yours.includes("\r\n") ? "\r\n" : "\n";
  const [y, b, t] = [yours, base, theirs].map((text) => text.replaceAll("\r\n", "\n").split("\n"));
  const merged = merge(y ?? [], b ?? [], t ?? [], {
    excludeFalseConflicts: true,
    label: { a: sides.yours, b: sides.theirs },
  });
  const text = merged.result.join(end);
  return { text, conflicts: merged.conflict ? ["look for <<<<<<< in it"] : [] };
}

type Json = string | number | boolean | null | Json[] | { readonly [key: string]: Json };

/** Undefined: one of them is no JSON, or not only that. Where both sides differ, yours stays. */
function mergeJson(
  base: string,
  yours: string,
  theirs: string,
  sides: Sides,
): MergedText | undefined {
  try {
    const [b, y, t] = [base, yours, theirs].map((text) => JSON.parse(text) as Json);
    const conflicts: string[] = [];
    const merged = mergeValues(b, y, t, [], (key, one, other) => {
      const told = (value: Json | undefined) =>
        value === undefined ? "none" : JSON.stringify(value).slice(0, 60);
      conflicts.push(`${key}: ${told(one)} stays, ${sides.theirs} has ${told(other)}`);
    });
    const indent = /^[ \t]+/m.exec(yours)?.[0] ?? "  ";
    return { text: `${JSON.stringify(merged, null, indent)}\n`, conflicts };
  } catch {
    return undefined;
  }
}

function mergeValues(
  base: Json | undefined,
  yours: Json | undefined,
  theirs: Json | undefined,
  keys: readonly string[],
  onConflict: (key: string, yours: Json | undefined, theirs: Json | undefined) => void,
): Json | undefined {
  const is = (a: Json | undefined, b: Json | undefined) => JSON.stringify(a) === JSON.stringify(b);
  if (is(yours, theirs) || is(base, theirs)) return yours;
  if (is(base, yours)) return theirs;
  if (isObject(yours) && isObject(theirs)) {
    const names = new Set([...Object.keys(yours), ...Object.keys(theirs)]);
    const from = isObject(base) ? base : {};
    const entries = [...names].flatMap((name) => {
      const [b, y, t] = [from, yours, theirs].map((each) =>
        Object.hasOwn(each, name) ? each[name] : undefined,
      );
      const merged = mergeValues(b, y, t, [...keys, name], onConflict);
      return merged === undefined ? [] : [[name, merged] as const];
    });
    return Object.fromEntries(entries);
  }
  onConflict(keys.join("."), yours, theirs);
  return yours;
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
