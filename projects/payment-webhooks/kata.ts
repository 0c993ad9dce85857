import { defineKata } from "@db-katas/grading";

export default defineKata({
  title: "Payment webhooks",
  summary: "Each payment is credited exactly once, however often and in whatever order one is told",
  guideSection: "none",
  level: "advanced",
  minutes: 150,
  concepts: [
    "contract",
    "authenticity",
    "idempotency",
    "ordering",
    "invariants",
    "atomicity",
    "durability",
    "failover",
    "poison messages",
    "outbox",
    "deployment",
  ],
  engines: { postgres: {}, redis: {} },
  bundled: ["ioredis", "pg", "zod"],
  claims: { count: 2, points: 5, delayMs: 50 },
  limits: { memoryMb: 192, callMs: 20_000, checkMs: 90_000 },
});
