import { defineKata } from "@db-katas/grading";

export default defineKata({
  title: "Session failover",
  summary: "Sessions in Redis and PostgreSQL that survive every way in which Redis can fail",
  guideSection: "6.5 Polyglot Session Manager",
  level: "advanced",
  minutes: 180,
  concepts: [
    "contract",
    "optimistic concurrency",
    "secrets",
    "durability",
    "failover",
    "fail-back",
    "latency budget",
    "split brain",
    "expiry",
    "fail closed",
    "circuit breaker",
    "local development",
  ],
  engines: {
    postgres: {},
    redis: {},
    sqlite: {},
  },
  bundled: ["@prisma/adapter-pg", "cockatiel", "ioredis", "pg"],
  claims: { count: 2, points: 5, delayMs: 50 },
  limits: { memoryMb: 256, callMs: 5_000, checkMs: 20_000 },
});
