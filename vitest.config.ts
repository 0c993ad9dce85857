import { defineConfig } from "vitest/config";

// turbo remembers what passed; without the engines' versions in its key it would remember too much.
if (process.env.TURBO_HASH && !process.env.KATA_ENGINE_KEY) {
  throw new Error("turbo was started without KATA_ENGINE_KEY: use `pnpm test`");
}

export default defineConfig({
  test: {
    projects: ["packages/*", "projects/*", "generators", "docs/errata"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // What is printed is read where something failed: a line for each file, and what the failed ones said.
    silent: "passed-only",
    slowTestThreshold: 10_000,
  },
});
