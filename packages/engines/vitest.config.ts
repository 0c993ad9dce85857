import { defineConfig } from "vitest/config";

// Servers are started and killed in nearly every test: these are slow by nature, and two files at a time are plenty.
export default defineConfig({
  test: { include: ["test/**/*.test.ts"], testTimeout: 30_000, hookTimeout: 30_000, maxWorkers: 2 },
});
