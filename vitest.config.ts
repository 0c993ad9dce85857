import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: ["packages/*", "projects/*", "generators"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
