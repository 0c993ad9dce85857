/** Templates are told apart by the parser's fingerprint, and drawn one by one until a quarter is there. */
import { createHash } from "node:crypto";
import { fingerprint } from "libpg-query";
import type { Split } from "../../contract.ts";

const TEST_SHARE = 0.25;

export async function split(sql: readonly string[], seed: number): Promise<Split> {
  const templates = new Map<string, number[]>();
  for (const [position, text] of sql.entries()) {
    const template = await templateOf(text);
    const positions = templates.get(template);
    if (positions) positions.push(position);
    else templates.set(template, [position]);
  }
  const drawn = [...templates].toSorted(([a], [b]) => order(a, seed).localeCompare(order(b, seed)));
  const test: number[] = [];
  const train: number[] = [];
  for (const [, positions] of drawn) {
    // The one that comes nearer to a quarter: a large template may overshoot it.
    const without = Math.abs(test.length - sql.length * TEST_SHARE);
    const together = Math.abs(test.length + positions.length - sql.length * TEST_SHARE);
    (together < without ? test : train).push(...positions);
  }
  const smallest = drawn.toSorted(([, a], [, b]) => a.length - b.length)[0]?.[1];
  if (drawn.length > 1 && smallest && test.length === 0) {
    return { train: train.filter((at) => !smallest.includes(at)).sort(up), test: smallest };
  }
  return { train: train.sort(up), test: test.sort(up) };
}

const up = (a: number, b: number) => a - b;

const order = (template: string, seed: number) =>
  createHash("sha256").update(`${seed} ${template}`).digest("hex");

async function templateOf(sql: string): Promise<string> {
  try {
    return await fingerprint(sql);
  } catch {
    // What is no SQL is a template of its own, but for constants and white space.
    return sql
      .toLowerCase()
      .replace(/'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b/g, "?")
      .replace(/\s+/g, " ")
      .trim();
  }
}
