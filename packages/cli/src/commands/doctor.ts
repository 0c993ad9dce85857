import { constants } from "node:fs";
import { access, mkdir, statfs } from "node:fs/promises";
import { availableParallelism, freemem, platform, release, totalmem } from "node:os";
import { cacheFolder, clearCache, runParents } from "@db-katas/engines";
import { terminalPaint } from "@db-katas/grading";
import type { Command } from "commander";
import prettyBytes from "pretty-bytes";
import { formatProbe, probeAll } from "./engines.ts";

/** Room for a PostgreSQL, a Redis and a submission's nodes, twice over. */
const DISK_WANTED = 500 * 1024 ** 2;
const MEMORY_WANTED = 1024 ** 3;

interface Finding {
  readonly what: string;
  readonly state: "ok" | "fixable" | "administrator";
  readonly detail: string;
  readonly remedy?: string;
}

export function registerDoctor(program: Command): void {
  program
    .command("doctor")
    .description("is this machine ready, and if not, what to type")
    .option(
      "--clear-cache",
      "delete everything that was fetched or prepared; it is made again when needed",
    )
    .option("--json", "as JSON on stdout")
    .addHelpText("after", "\nExit codes: 0 ready, 1 fixable by you, 2 needs an administrator")
    .action(async (options: { clearCache?: boolean; json?: boolean }) => {
      if (options.clearCache) {
        await clearCache();
        process.stdout.write(`Removed ${cacheFolder()}.\n`);
        return;
      }
      const [findings, engines] = await Promise.all([examine(), probeAll()]);
      const all: Finding[] = [
        ...findings,
        ...engines.map(({ engine, chosen, offers }): Finding => {
          const remedy = offers.flatMap((o) => (!o.offered && o.remedy ? [o.remedy] : [])).at(-1);
          return chosen
            ? { what: engine, state: "ok", detail: `${chosen.provider}, ${chosen.source}` }
            : {
                what: engine,
                state: "fixable",
                detail: "not to be had",
                ...(remedy ? { remedy } : {}),
              };
        }),
      ];
      const exitCode = all.some(({ state }) => state === "administrator")
        ? 2
        : all.some(({ state }) => state === "fixable")
          ? 1
          : 0;
      process.exitCode = exitCode;
      if (options.json) {
        process.stdout.write(
          `${JSON.stringify({ ready: exitCode === 0, findings: all }, null, 2)}\n`,
        );
        return;
      }
      for (const { what, state, detail, remedy } of findings) {
        const mark = state === "ok" ? terminalPaint("green", "✓") : terminalPaint("red", "✗");
        process.stdout.write(`${mark} ${what}: ${detail}${remedy ? `  →  ${remedy}` : ""}\n`);
      }
      process.stdout.write(`\n${engines.map(formatProbe).join("\n")}\n\n`);
      process.stdout.write(
        exitCode === 0 ? "Ready: pnpm kata list\n" : "Not ready yet: see the lines marked ✗.\n",
      );
    });
}

async function examine(): Promise<Finding[]> {
  const cache = cacheFolder();
  return [
    {
      what: "node",
      state: "ok",
      detail: `${process.version} on ${platform()} ${release()}, ${process.arch}`,
    },
    {
      what: "machine",
      state: totalmem() < MEMORY_WANTED ? "administrator" : "ok",
      detail: `${availableParallelism()} cores, ${prettyBytes(freemem())} of ${prettyBytes(totalmem())} memory free`,
    },
    await examineFolder("cache", cache, "set KATA_CACHE to a folder that you may write"),
    await examineFolder("runs", runParents()[0], "set KATA_RUNS to a folder that you may write"),
  ];
}

async function examineFolder(what: string, folder: string, remedy: string): Promise<Finding> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    return free < DISK_WANTED
      ? {
          what,
          state: "fixable",
          detail: `${folder} has ${prettyBytes(free)} free`,
          remedy: "free some disk space",
        }
      : { what, state: "ok", detail: `${folder}, ${prettyBytes(free)} free` };
  } catch (error) {
    return {
      what,
      state: "fixable",
      detail: `${folder}: ${error instanceof Error ? error.message : error}`,
      remedy,
    };
  }
}
