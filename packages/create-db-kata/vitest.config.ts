import { defineConfig } from "vitest/config";

// Most tests wait for package managers: while one file does, another one works.
export default defineConfig({
  test: { globalSetup: "test/setup.ts", testTimeout: 30_000, maxWorkers: 2 },
});
