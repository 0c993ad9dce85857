/** Variant: greedy, with real indexes on the copy, one more at a time. */
import type { Submission } from "../../contract.ts";
import { advise } from "./advise.ts";
import { apply } from "./apply.ts";
import { collect } from "./collect.ts";
import { split } from "./split.ts";

export default {
  async createNode(config) {
    return {
      collect: (request) => collect(config.target, request, config.requestBudgetMs * 0.9),
      advise: (request) => advise(config, request),
      apply: (request) => apply(config.target, request, config.requestBudgetMs),
      split,
      async close() {},
    };
  },
} satisfies Submission;
