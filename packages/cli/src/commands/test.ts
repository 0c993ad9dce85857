import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { glob, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fetchableUnasked, loadDefinitions } from "@db-katas/engines";
import type { Command } from "commander";
import { describeFailures, REPORTS, readReports } from "../gate-reports.ts";
import { type GateSeed, gateSeed } from "../gate-seed.ts";
import { startProgress } from "../output.ts";
import { openSession } from "../session.ts";
import { asTypedHere } from "../typed.ts";
import { findWorkspace } from "../workspace.ts";

export function registerTest(program: Command): void {
  program
    .command("test")
    .description(
      "what `pnpm test` runs: types, lint, tests, every grader verified, every attempt graded",
    )
    .option("--force", "run everything again, also what is unchanged since it passed")
    .addHelpText(
      "after",
      `
What is drawn (data, mutants, variants, which new exercises are made) is drawn by the commit. The seed is
printed; KATA_SEED=<seed> takes another one.`,
    )
    .action(async (options: { force?: boolean }) => {
      const { root } = await findWorkspace(process.cwd());
      const stale: string[] = [];
      for await (const file of glob(REPORTS, { cwd: root })) stale.push(join(root, file));
      // Cached tasks bring theirs back: what is there afterwards belongs to this run.
      await Promise.all(stale.map((file) => rm(file)));
      const drawn = await gateSeed(root, process.env.KATA_SEED);
      process.stdout.write(`seed ${drawn.seed} (${drawn.from})\n`);
      const exitCode = await runTurbo(root, await engineKey(), drawn, options.force === true);
      const total = await readReports(root);
      process.stdout.write(describeFailures(total.failures));
      if (exitCode !== 0 || total.failed > 0) {
        const again = `pnpm test; of another commit: KATA_SEED=${drawn.seed} pnpm test`;
        process.stdout.write(asTypedHere(`\nThe same draw again: ${again}\n`));
      }
      process.stdout.write(
        `\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`,
      );
      process.exitCode = exitCode === 0 && total.failed > 0 ? 1 : exitCode;
    });
}

/**
 * The engines that a run here would use, so that a cached pass never outlives a change of engine, nor
 * of what this machine lets one do: what can't be done here is not tested here.
 * An engine whose version nobody knows before it runs (fetched, a container, somebody's server) is
 * started and asked.
 */
async function engineKey(): Promise<string> {
  const progress = startProgress();
  await using session = await openSession(progress);
  const hash = createHash("sha256");
  for (const name of (await loadDefinitions()).keys()) {
    let { chosen } = await session.engines.probe(name);
    let version = chosen?.version;
    // Where it is not fetched for a test either, it is no part of what a pass depends on.
    if (chosen && version === undefined && fetchableUnasked(chosen)) {
      if (chosen.fetch) progress.line(`Fetching ${chosen.fetch.what}`);
      await using lease = await session.engines.lease(name);
      // What was fetched tells its version from now on, so that the next run has the same key.
      ({ chosen } = await session.engines.probe(name));
      version = chosen?.version ?? lease.engine.version;
    }
    const { provider, source, capabilities } = chosen ?? {};
    hash.update(JSON.stringify([name, provider, version, source, capabilities]));
  }
  progress.stop();
  return hash.digest("hex").slice(0, 16);
}

function runTurbo(root: string, key: string, { seed }: GateSeed, force: boolean): Promise<number> {
  const turbo = join(
    dirname(createRequire(join(root, "x.js")).resolve("turbo/package.json")),
    "bin/turbo",
  );
  const args = [
    turbo,
    "run",
    "test",
    "--continue=always",
    "--output-logs=new-only",
    "--concurrency=1",
  ];
  const child = spawn(process.execPath, force ? [...args, "--force"] : args, {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      // No part of what turbo goes by: what has passed by one commit's seed has passed. One that somebody
      // asks for is.
      KATA_SEED: String(seed),
      ...(process.env.KATA_SEED && { KATA_SEED_ASKED: process.env.KATA_SEED }),
      KATA_ENGINE_KEY: key,
      TURBO_TELEMETRY_DISABLED: "1",
      TURBO_UI: "false",
    },
  });
  // Ctrl-C reaches turbo by itself; we wait for it to wind up.
  const ignore = () => {};
  process.on("SIGINT", ignore).on("SIGTERM", () => child.kill("SIGTERM"));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      process.off("SIGINT", ignore);
      resolve(code ?? 130);
    });
  });
}
