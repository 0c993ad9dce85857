/**
 * GIN, GiST and SP-GiST can all answer some operators, and the planner's costs of them are too far from the
 * truth to choose by. So each is built once, alone, and what it touches is counted.
 */
import type { Candidate } from "./candidates.ts";
import { AdvisorError } from "./errors.ts";
import type { Lab } from "./lab.ts";
import { measured } from "./proof.ts";
import type { Query } from "./queries.ts";
import { couldServe } from "./whatif.ts";

interface Result {
  readonly index: Candidate;
  readonly bytes: number;
  readonly blocks: number;
}

/** @returns why not, by the id of whoever lost */
export async function contested(
  lab: Lab,
  queries: readonly Query[],
  rivals: readonly (readonly Candidate[])[],
  budgetBytes: number,
  limitMs: number,
): Promise<Map<string, string>> {
  const lost = new Map<string, string>();
  for (const group of rivals) {
    if (new Set(group.map(({ method }) => method)).size < 2) continue;
    const results: Result[] = [];
    for (const index of group) {
      const result = await lab.tried(() => tested(lab, index, queries, limitMs));
      if (typeof result === "string") lost.set(index.id, result);
      else results.push(result);
    }
    const fitting = results.filter(({ bytes }) => bytes <= budgetBytes);
    const [best] = fitting.toSorted((a, b) => a.blocks - b.blocks || a.bytes - b.bytes);
    for (const { index, bytes } of results) {
      // Another class of the winner's kind may answer other operators; a smaller one may still have to do.
      if (!best || index.method === best.index.method) continue;
      if (budgetBytes !== Number.POSITIVE_INFINITY && bytes < best.bytes) continue;
      lost.set(index.id, `As a ${best.index.method} index it touches fewer blocks.`);
    }
  }
  return lost;
}

async function tested(
  lab: Lab,
  index: Candidate,
  queries: readonly Query[],
  limitMs: number,
): Promise<Result | string> {
  const bytes = await lab.build(index);
  if (typeof bytes === "string") return `It can't be built: ${bytes}`;
  let blocks = 0;
  try {
    for (const query of queries) {
      if (!couldServe(query, index)) continue;
      blocks += query.calls * (await measured(lab, query, limitMs)).blocks;
    }
  } catch (error) {
    if (error instanceof AdvisorError) throw error;
    return `With it a statement fails: ${error instanceof Error ? error.message : error}`;
  }
  return { index, bytes, blocks };
}
