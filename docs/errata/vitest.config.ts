import { defineConfig } from "vitest/config";

// Tests start servers, and the machine may be busy with others.
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 60_000 } });
