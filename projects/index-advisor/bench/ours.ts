import { advise } from "../src/advise.ts";
import type { Contender } from "./contender.ts";

export const ours: Contender = {
  name: "ours",
  async choose({ target, scratch, statements, budgetBytes, budgetMs }) {
    const limit = Number.isFinite(budgetBytes) ? { budgetBytes } : {};
    const advice = await advise(
      { statements, ...limit },
      { target, scratch, budgetMs, onProgress: console.error },
    );
    return {
      indexes: advice.create.map(({ sql }) => sql.replace(" CONCURRENTLY", "")),
      whatIfCalls: advice.whatIf.calls,
      seconds: advice.tookMs / 1_000,
    };
  },
};
