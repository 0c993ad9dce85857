import { defineKata } from "@db-katas/grading";

export default defineKata({
  title: "Zero-downtime migration",
  summary: "Move accounts from one PostgreSQL to another while clients go on writing, and back",
  guideSection: "1.6 Migration Strategies: From Legacy to Modern Database Systems",
  level: "advanced",
  minutes: 180,
  concepts: [
    "contract",
    "transformation",
    "backfill",
    "ordering",
    "isolation from failure",
    "shadow reads",
    "canary",
    "checksums",
    "cut-over",
    "rollback",
  ],
  engines: { legacy: { engine: "postgres" }, modern: { engine: "postgres" } },
  bundled: ["pg", "pino", "zod"],
  claims: { count: 2, points: 5, delayMs: 50 },
  limits: { memoryMb: 256, callMs: 12_000, checkMs: 30_000 },
});
