/** What LightGBM is given of the data, with what counts as help. */
import { split } from "../src/split.ts";
import type { Data, DataRow } from "./data.ts";
import type { TrainingRequest } from "./python.ts";

/** An index helps where it takes a fifth of the time away: less is hard to tell from noise. */
export const HELPS = 0.8;
/** Not tuned; a model of so many small trees has 184 kB. */
const TREES = 150;

export function helped({ beforeMs, afterMs }: DataRow): boolean {
  return afterMs <= HELPS * beforeMs;
}

/** As if nobody had asked for a pretended plan. */
export function unasked({ features, pretended }: Data, { values }: DataRow): readonly number[] {
  return [...values.slice(0, features.length - pretended), ...Array(pretended).fill(Number.NaN)];
}

export interface Sides {
  readonly train: readonly DataRow[];
  readonly test: readonly DataRow[];
}

/** By templates. @throws where one is on both sides */
export async function sides({ statements, rows }: Data, seed: number): Promise<Sides> {
  const positions = await split(
    statements.map(({ sql }) => sql),
    seed,
  );
  const test = new Set(positions.test);
  const templatesOf = (side: readonly number[]) =>
    new Set(side.map((at) => statements[at]?.template));
  const learnt = templatesOf(positions.train);
  const both = [...templatesOf(positions.test)].filter((template) => learnt.has(template));
  if (both.length > 0) {
    throw new Error(`On both sides of the split: ${both.join(", ")}. The test would be none.`);
  }
  return {
    train: rows.filter(({ statement }) => !test.has(statement)),
    test: rows.filter(({ statement }) => test.has(statement)),
  };
}

/** Each row twice, with and without the pretended plan, so that one model knows what to do without. */
export function requestOf(
  data: Data,
  train: readonly DataRow[],
  predict: readonly (readonly number[])[],
  seed: number,
): TrainingRequest {
  const examples = train.flatMap((row) => {
    const label = helped(row) ? 1 : 0;
    return [row.values, unasked(data, row)].map((values) => ({ values, label, weight: 0.5 }));
  });
  return {
    features: data.features,
    rows: examples.map(({ values }) => values),
    labels: examples.map(({ label }) => label),
    weights: examples.map(({ weight }) => weight),
    predict,
    trees: TREES,
    seed,
  };
}
