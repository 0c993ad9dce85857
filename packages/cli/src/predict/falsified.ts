/** Claims beside what was said of them before. */
import { join } from "node:path";
import type { Kata } from "@db-katas/grading";
import type { Workspace } from "../workspace.ts";
import { standingsIn } from "./attempts.ts";
import type { Standing } from "./standings.ts";
import { saidOf } from "./text.ts";

/** What somebody said of a claim before it was first measured. */
export interface PredictedClaim {
  /** That it holds, from 0 to 1. */
  readonly probability?: number;
  /** What holds its first figure nine times of ten, in base units. */
  readonly range?: { readonly low: number; readonly high: number };
  /** For people. */
  readonly said: string;
}

/** Of each exercise's claims, by `<kata> <claim>`, in one's attempt at it. */
export async function predictedClaims(
  { root }: Workspace,
  katas: readonly Kata[],
): Promise<ReadonlyMap<string, PredictedClaim>> {
  const predicted = new Map<string, PredictedClaim>();
  for (const kata of katas) {
    const standings = await standingsIn(join(root, "attempts", kata.name), kata);
    const claims = standings.filter(({ about, prediction }) => about !== "check" && prediction);
    for (const [id, about] of Map.groupBy(claims, (each) => each.id)) {
      predicted.set(`${kata.name} ${id}`, together(about));
    }
  }
  return predicted;
}

function together(standings: readonly Standing[]): PredictedClaim {
  const parts = standings.map(({ about, prediction }) => {
    if (!prediction) return {};
    if (about !== "figure") return { probability: prediction.probability };
    return { range: { low: prediction.low, high: prediction.high } };
  });
  const said = standings.flatMap((each) => saidOf(each) ?? []).join(", ");
  return Object.assign({ said }, ...parts);
}
