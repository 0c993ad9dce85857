/**
 * `pnpm --filter @db-katas/index-advisor ranker:train [--again]`: grows `src/ranker/model.json` from
 * `data/pairs.jsonl`, and writes what LightGBM itself predicts of rows that it has never seen, which a
 * test holds our evaluation of the trees to. `--again` makes the rows anew from what was last collected
 * on this machine.
 */
import { writeFileSync } from "node:fs";
import { type Data, readData, writeData } from "./data.ts";
import { requestOf, sides, unasked } from "./examples.ts";
import { featurize } from "./featurize.ts";
import { loadCollected } from "./pair.ts";
import { grow } from "./python.ts";

/** Decides which templates the model never sees. */
const SEED = 20_261_122;
/** Half of them with a pretended plan, half without. */
const PREDICTED = 200;
/** Beyond these a leaf's value changes a probability by less than 1e-9. */
const DIGITS = 12;

if (process.argv.includes("--again")) writeData(featurize(loadCollected()));
const data = readData();
const { train, test } = await sides(data, SEED);
const asked = sample(data, test);
const { lightgbm, trees, predictions, gains } = await grow(requestOf(data, train, asked, SEED));
write("../src/ranker/model.json", {
  features: data.features,
  trees: trees.map((tree) => ({
    ...tree,
    leaves: tree.leaves.map((leaf) => Number(leaf.toPrecision(DIGITS))),
  })),
  trainedWith: {
    lightgbm,
    seed: SEED,
    pairs: train.length,
    templates: templatesOf(train).length,
    unseen: templatesOf(test).toSorted(),
  },
});
write("data/predictions.json", { rows: asked, predictions });
const weighty = Object.entries(gains)
  .toSorted(([, a], [, b]) => b - a)
  .slice(0, 12)
  .map(([name, gain]) => `${name} ${(100 * gain).toFixed(0)} %`);
console.log(`${trees.length} trees from ${train.length} pairs. By gain: ${weighty.join(", ")}.`);

function templatesOf(rows: typeof test): string[] {
  const ids = rows.map(({ statement }) => data.statements[statement]?.template ?? "");
  return [...new Set(ids)];
}

function sample(data: Data, rows: typeof test): readonly (readonly number[])[] {
  const every = Math.max(1, Math.floor((2 * rows.length) / PREDICTED));
  return rows
    .filter((_, at) => at % every === 0)
    .flatMap((row) => [row.values, unasked(data, row)])
    .slice(0, PREDICTED);
}

function write(path: string, content: object): void {
  writeFileSync(new URL(path, import.meta.url), `${JSON.stringify(content)}\n`);
}
