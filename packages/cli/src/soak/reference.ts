import { gradeFully, type SoakKind } from "./kind.ts";

const GRADES = 100;

/** The reference's full marks, again and again: the figure that learners' trust hangs on. */
export const reference: SoakKind = {
  name: "reference",
  title: `the reference graded ${GRADES} times`,
  items: () => Array.from({ length: GRADES }, (_, i) => `grade ${i + 1}`),
  run: (_item, seed, context) => gradeFully("reference", seed, context),
};
