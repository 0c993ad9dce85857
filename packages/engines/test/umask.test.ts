import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { ownFolder } from "./helpers.ts";

// Root's servers run as somebody else: what was made for them must be theirs to read.
test.runIf(process.getuid?.() === 0)(
  "an umask of 077 keeps no server from its files, nor from a cache that is made under it",
  { timeout: 90_000 },
  async () => {
    await using temporary = await ownFolder();
    const engines = ["postgres", "redis", "sqlite"];
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(import.meta.dirname, "fixtures", "umask.ts"), ...engines],
      {
        env: {
          ...process.env,
          KATA_ENGINES: "process",
          KATA_RUNS: temporary.path,
          KATA_CACHE: join(temporary.path, "not", "yet", "there"),
        },
      },
    );
    expect(stdout.trim().split("\n")).toEqual(engines);
  },
);
