import { gradeFully, type SoakKind } from "./kind.ts";

const ROUNDS = 5;

/** Full kill matrices, row by row. */
export const matrix: SoakKind = {
  name: "matrix",
  title: `the kill matrix ${ROUNDS} times`,
  items: (subjects) =>
    Array.from({ length: ROUNDS }, (_, round) =>
      subjects.map(({ name }) => `round ${round + 1} × ${name}`),
    ).flat(),
  run: (item, seed, context) => gradeFully(item.split(" × ")[1] ?? "", seed, context),
};
