/** Task 7: templates, whole, on one side each, so that no model is judged by what it was trained with. */
import { createHash } from "node:crypto";
import { parse } from "libpg-query";
import type { Split } from "../../contract.ts";

const TEST_SHARE = 1 / 4;

export async function split(sql: readonly string[], seed: number): Promise<Split> {
  const templates = new Map<string, number[]>();
  for (const [position, text] of sql.entries()) {
    const template = await templateOf(text);
    templates.set(template, [...(templates.get(template) ?? []), position]);
  }
  // By a hash, so that the order in which statements were given makes no difference.
  const drawn = [...templates].map(([template, positions]) => ({
    positions,
    rank: createHash("sha256").update(`${seed}\0${template}`).digest("hex"),
  }));
  drawn.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  const test: number[] = [];
  for (const { positions } of drawn.slice(0, -1)) {
    const wanted = sql.length * TEST_SHARE - test.length;
    // A template that would overshoot by more than half of itself is too large for what is still missing.
    if (test.length === 0 || positions.length / 2 <= wanted) test.push(...positions);
  }
  const tested = new Set(test);
  return {
    train: [...sql.keys()].filter((position) => !tested.has(position)),
    test: test.sort((a, b) => a - b),
  };
}

async function templateOf(sql: string): Promise<string> {
  try {
    return JSON.stringify(withoutConstants((await parse(sql)).stmts));
  } catch {
    return textualTemplate(sql);
  }
}

const PLACE = "?";

/** The tree without positions; constants and parameters alike are places, and a list of places is one. */
function withoutConstants(node: unknown): unknown {
  if (Array.isArray(node)) {
    const items = node.map(withoutConstants);
    return items.length > 0 && items.every((item) => item === PLACE) ? PLACE : items;
  }
  if (typeof node !== "object" || node === null) return node;
  if ("A_Const" in node || "ParamRef" in node) return PLACE;
  const fields = Object.entries(node)
    .filter(([name]) => !/^(location|stmt_len|stmt_location|rexpr_list_(start|end))$/.test(name))
    .map(([name, value]) => [name, withoutConstants(value)] as const);
  const [only] = fields;
  const isList = fields.length === 1 && (only?.[0] === "List" || only?.[0] === "items");
  return isList && only?.[1] === PLACE ? PLACE : Object.fromEntries(fields);
}

/** What the grammar refuses may be cut off, or of another dialect; it has a template all the same. */
function textualTemplate(sql: string): string {
  return sql
    .replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, " ")
    .replace(/'(?:[^']|'')*'?|\$\d+|\b\d+(?:\.\d+)?\b/g, PLACE)
    .replace(/\?(?:\s*,\s*\?)+/g, PLACE)
    .replace(/\s*([^\w\s])\s*/g, "$1")
    .replace(/\s+/g, " ")
    .trim()
    .toLowerCase();
}
