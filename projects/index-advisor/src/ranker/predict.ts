/**
 * Evaluates the trees that LightGBM has grown. The rules at a split are those of its
 * `Tree::NumericalDecision` (include/LightGBM/tree.h), and `test/ranker/parity.test.ts` holds them to
 * what LightGBM itself predicts.
 */
import { readFileSync } from "node:fs";
import { z } from "zod";

/** What LightGBM takes for nothing where a feature's missing values are its zeros (`kZeroThreshold`). */
const ZERO = 1e-35;

const numbers = z.array(z.number());

/** Columns of a tree's splits. A child ≥ 0 is a split, below 0 the leaf `-child - 1`. */
const treeSchema = z.object({
  feature: z.array(z.int().nonnegative()),
  threshold: numbers,
  left: z.array(z.int()),
  right: z.array(z.int()),
  defaultLeft: z.array(z.union([z.literal(0), z.literal(1)])),
  /** How the feature says that it has no value. */
  missing: z.array(z.enum(["none", "zero", "nan"])),
  leaves: numbers.min(1),
});

export const modelSchema = z.object({
  /** Names, in the order in which the trees number them. */
  features: z.array(z.string()).min(1),
  trees: z.array(treeSchema).min(1),
  trainedWith: z.object({
    lightgbm: z.string(),
    seed: z.int(),
    pairs: z.int(),
    templates: z.int(),
    /** Templates that it never saw, by which it is judged. */
    unseen: z.array(z.string()),
  }),
});

export type Model = z.infer<typeof modelSchema>;
type Tree = Model["trees"][number];

/** @throws {z.ZodError} where the file isn't one that `ranker/train.py` has written */
export function loadModel(file: URL = new URL("./model.json", import.meta.url)): Model {
  return modelSchema.parse(JSON.parse(readFileSync(file, "utf8")));
}

/** @param row in the order of `model.features`; NaN where there is no value @returns a probability */
export function predict(model: Model, row: readonly number[]): number {
  let sum = 0;
  for (const tree of model.trees) sum += leafOf(tree, row);
  return 1 / (1 + Math.exp(-sum));
}

function leafOf(tree: Tree, row: readonly number[]): number {
  // A tree that found nothing to split by is one leaf.
  let at = tree.feature.length === 0 ? -1 : 0;
  while (at >= 0) {
    const value = row[tree.feature[at] ?? 0] ?? Number.NaN;
    at = (goesLeft(tree, at, value) ? tree.left[at] : tree.right[at]) ?? -1;
  }
  return tree.leaves[-at - 1] ?? 0;
}

function goesLeft(tree: Tree, at: number, given: number): boolean {
  const missing = tree.missing[at];
  const value = Number.isNaN(given) && missing !== "nan" ? 0 : given;
  const isMissing =
    missing === "nan" ? Number.isNaN(value) : missing === "zero" && Math.abs(value) <= ZERO;
  return isMissing ? tree.defaultLeft[at] === 1 : value <= (tree.threshold[at] ?? 0);
}
