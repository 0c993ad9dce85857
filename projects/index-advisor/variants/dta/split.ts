/** Task 7. Statements of one template go to the same side. */
import { createHash } from "node:crypto";
import type { Split } from "../../contract.ts";
import { templateOf } from "./templates.ts";

const TEST_SHARE = 0.25;

export async function split(sql: readonly string[], seed: number): Promise<Split> {
  const templates = new Map<string, number[]>();
  for (const [position, statement] of sql.entries()) {
    const template = await templateOf(statement);
    templates.set(template, [...(templates.get(template) ?? []), position]);
  }
  const drawn = [...templates]
    .map(([template, positions]) => ({ draw: digest(`${seed}:${template}`), positions }))
    .sort((a, b) => (a.draw < b.draw ? -1 : 1));
  const wanted = sql.length * TEST_SHARE;
  const test: number[] = [];
  const train: number[] = [];
  for (const [rank, { positions }] of drawn.entries()) {
    const last = rank === drawn.length - 1;
    const nearer =
      Math.abs(test.length + positions.length - wanted) < Math.abs(test.length - wanted);
    // Of two templates or more, neither side goes without.
    const toTest = last && rank > 0 ? test.length === 0 || (nearer && train.length > 0) : nearer;
    (toTest ? test : train).push(...positions);
  }
  return { train: train.sort((a, b) => a - b), test: test.sort((a, b) => a - b) };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
