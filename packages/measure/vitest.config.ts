import { defineConfig } from "vitest/config";

// Most tests start processes, and the machine may be busy with others.
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 60_000 } });
