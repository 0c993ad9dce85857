import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const CARD = JSON.stringify({ points: { earned: 2, possible: 2, total: 2 } });

/** Writes scorecards wherever one might be looked for; its own answer is wrong. */
export default {
  async createNode() {
    for (const folder of [import.meta.dirname, "/tmp"]) {
      try {
        const target = join(folder, ".kata", "forged");
        mkdirSync(target, { recursive: true });
        for (const name of ["scorecard.json", "last.json", `${readdirSync(folder).length}.json`]) {
          writeFileSync(join(target, name), CARD);
        }
      } catch {
        // Not here.
      }
    }
    return { answer: async () => 0 };
  },
};
