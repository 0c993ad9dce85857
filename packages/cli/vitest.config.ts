import { defineConfig } from "vitest/config";

// Every test runs the command, which takes seconds on a busy machine, and waits for it: two at a time.
export default defineConfig({
  test: { include: ["test/*.test.ts"], testTimeout: 120_000, maxWorkers: 2 },
});
