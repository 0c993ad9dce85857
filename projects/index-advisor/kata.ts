import { defineKata } from "@db-katas/grading";

export default defineKata({
  title: "Index advisor",
  summary: "Recommend a set of indexes for a workload, within a budget, and prove that it helps",
  guideSection: "6, project 8: Auto-Tuning Index Advisor",
  level: "advanced",
  minutes: 300,
  concepts: [
    "contract",
    "parameters",
    "write cost",
    "redundancy",
    "joint cost",
    "evidence",
    "what-if state",
    "sargability",
    "operator classes",
    "leakage",
    "budget",
    "safe builds",
    "bad input",
  ],
  engines: {
    target: { engine: "pgextended", needs: ["hypopg"] },
    scratch: { engine: "pgextended", needs: ["hypopg"] },
  },
  bundled: ["pg", "zod"],
  limits: { memoryMb: 512, callMs: 60_000, checkMs: 90_000 },
});
