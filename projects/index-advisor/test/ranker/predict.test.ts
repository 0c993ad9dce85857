import { expect, test } from "vitest";
import { type Model, predict } from "../../src/ranker/predict.ts";

type Split = Partial<{ threshold: number; defaultLeft: 0 | 1; missing: "none" | "zero" | "nan" }>;

/** One split: 1 to the left, -1 to the right, before they are made probabilities. */
function modelOf({ threshold = 2, defaultLeft = 0, missing = "nan" }: Split): Model {
  return {
    features: ["a"],
    trees: [
      {
        feature: [0],
        threshold: [threshold],
        left: [-1],
        right: [-2],
        defaultLeft: [defaultLeft],
        missing: [missing],
        leaves: [1, -1],
      },
    ],
    trainedWith: { lightgbm: "0", seed: 0, pairs: 0, templates: 0, unseen: [] },
  };
}

const left = 1 / (1 + Math.exp(-1));
const right = 1 / (1 + Math.exp(1));

test("what is equal to the threshold goes to the left", () => {
  expect(predict(modelOf({}), [2])).toBe(left);
  expect(predict(modelOf({}), [2.000001])).toBe(right);
});

test("what is missing goes where training sent it", () => {
  expect(predict(modelOf({ defaultLeft: 1 }), [Number.NaN])).toBe(left);
  expect(predict(modelOf({ defaultLeft: 0 }), [Number.NaN])).toBe(right);
});

test("where training saw nothing missing, it is taken for zero", () => {
  const model = modelOf({ missing: "none", threshold: -1, defaultLeft: 1 });
  expect(predict(model, [Number.NaN])).toBe(right);
});

test("where zeros are what is missing, they go where missing ones go", () => {
  const model = modelOf({ missing: "zero", threshold: 2, defaultLeft: 0 });
  expect(predict(model, [0])).toBe(right);
  expect(predict(model, [Number.NaN])).toBe(right);
  expect(predict(model, [1])).toBe(left);
});

test("a tree of one leaf adds that leaf", () => {
  const none = { feature: [], threshold: [], left: [], right: [], defaultLeft: [], missing: [] };
  const { trees, ...model } = modelOf({});
  const more: Model = { ...model, trees: [...trees, { ...none, leaves: [-1] }] };
  expect(predict(more, [0])).toBe(0.5);
});
