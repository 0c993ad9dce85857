import { defineKata } from "../../src/index.ts";

export default defineKata({
  title: "Vault",
  summary: "What the cheats of this folder try to get points for",
  guideSection: "none",
  level: "introductory",
  minutes: 1,
  concepts: ["honesty"],
  engines: { redis: {} },
  limits: { memoryMb: 64, callMs: 4_000, checkMs: 12_000, tasks: 64, diskMb: 100 },
});
