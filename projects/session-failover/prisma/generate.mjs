/**
 * Generates the typed client (`pnpm prepare`, so also every `pnpm install`).
 *
 * Prisma would first download its schema engine, a native program that only `prisma migrate` needs.
 * Pointing the setting at a program that exists everywhere, this Node, makes generating work
 * without a network and on every platform.
 */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..");
const manifest = createRequire(join(root, "package.json")).resolve("prisma/package.json");
const { status } = spawnSync(
  process.execPath,
  [join(dirname(manifest), "build", "index.js"), "generate", "--no-hints"],
  {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      CHECKPOINT_DISABLE: "1",
      PRISMA_HIDE_UPDATE_MESSAGE: "1",
      ...process.env,
    },
  },
);
process.exitCode = status ?? 1;
