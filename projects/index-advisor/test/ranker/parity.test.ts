import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { readData } from "../../ranker/data.ts";
import { loadModel, predict } from "../../src/ranker/predict.ts";

const committed = z.object({
  rows: z.array(z.array(z.number().nullable())),
  predictions: z.array(z.number()),
});
const { rows, predictions } = committed.parse(
  JSON.parse(readFileSync(new URL("../../ranker/data/predictions.json", import.meta.url), "utf8")),
);

test("trees give here what they give in LightGBM, with values missing and without", () => {
  const model = loadModel();
  const ours = rows.map((row) =>
    predict(
      model,
      row.map((value) => value ?? Number.NaN),
    ),
  );
  const off = ours.map((probability, at) =>
    Math.abs(probability - (predictions[at] ?? Number.NaN)),
  );
  expect(rows.length).toBeGreaterThanOrEqual(200);
  expect(rows.some((row) => row.includes(null)) && rows.some((row) => !row.includes(null))).toBe(
    true,
  );
  expect(Math.max(...off)).toBeLessThan(1e-9);
  // Probabilities that were all the same would agree for no reason.
  expect(Math.max(...ours) - Math.min(...ours)).toBeGreaterThan(0.5);
});

test("the committed model was trained without the templates that it is judged by", () => {
  const { features, rows: pairs, statements } = readData();
  const { features: known, trainedWith } = loadModel();
  const unseen = new Set(trainedWith.unseen);
  const isUnseen = ({ statement }: { readonly statement: number }) =>
    unseen.has(statements[statement]?.template ?? "");
  expect(known).toEqual(features);
  expect(trainedWith.pairs).toBe(pairs.filter((pair) => !isUnseen(pair)).length);
  // What LightGBM was asked to predict are rows of those.
  const values = new Set(pairs.filter(isUnseen).map((pair) => JSON.stringify(pair.values)));
  expect(rows.some((row) => values.has(JSON.stringify(row)))).toBe(true);
});
