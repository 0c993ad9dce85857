import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { readData } from "../../ranker/data.ts";
import { sides } from "../../ranker/examples.ts";
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

test("the committed model was trained without the templates that it is judged by", async () => {
  const data = readData();
  const model = loadModel();
  const { train, test: unseen } = await sides(data, model.trainedWith.seed);
  expect(model.features).toEqual(data.features);
  expect(model.trainedWith.pairs).toBe(train.length);
  expect(unseen.length).toBeGreaterThan(0);
});
