/** The DTA of postgres-mcp, in a Python of its own. */
import { execFile, spawn } from "node:child_process";
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { cacheFolder } from "@db-katas/engines";
import { z } from "zod";
import type { Contender } from "./contender.ts";

const run = promisify(execFile);
const PEER = "postgres-mcp==0.3.0";
const answerSchema = z.object({
  indexes: z.array(z.string()),
  calls: z.number(),
  seconds: z.number(),
});

/** @throws Error where no Python from 3.12 is on PATH; KATA_PYTHON names another one */
export async function openDta(): Promise<Contender> {
  const python = await installed();
  return {
    name: "postgres-mcp DTA",
    async choose({ scratch, statements, budgetBytes }) {
      const child = spawn(python, [join(import.meta.dirname, "dta.py")]);
      const said = Promise.all([text(child.stdout), text(child.stderr)]);
      child.stdin.end(
        JSON.stringify({
          url: scratch,
          statements,
          // Whole megabytes, as it takes them; 0 would be no limit.
          budgetMb: Number.isFinite(budgetBytes)
            ? Math.max(1, Math.round(budgetBytes / 1_024 ** 2))
            : -1,
        }),
      );
      const [out, trouble] = await said;
      if (out.trim() === "") throw new Error(`postgres-mcp gave no answer:\n${trouble}`);
      const { indexes, calls, seconds } = answerSchema.parse(JSON.parse(out));
      return { indexes, whatIfCalls: calls, seconds };
    },
  };
}

/** Made once for each version. */
async function installed(): Promise<string> {
  const folder = join(cacheFolder(), "bench", PEER.replace("==", "-"));
  const python = join(folder, "bin", "python");
  const done = await stat(join(folder, "pyvenv.cfg")).then(
    () => works(python),
    () => false,
  );
  if (done) return python;
  await mkdir(join(folder, ".."), { recursive: true });
  await run(await basePython(), ["-m", "venv", "--clear", folder]);
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  await run(python, [...pip, "-r", join(import.meta.dirname, "requirements.txt")]);
  await run(python, [...pip, "--no-deps", PEER]);
  return python;
}

function works(python: string): Promise<boolean> {
  return run(python, ["-c", "import postgres_mcp.index.dta_calc"]).then(
    () => true,
    () => false,
  );
}

async function basePython(): Promise<string> {
  const asked = process.env.KATA_PYTHON;
  const all = asked ? [asked] : ["python3", "python3.14", "python3.13", "python3.12"];
  for (const each of all) {
    const isNew = await run(each, ["-c", "import sys; assert sys.version_info >= (3, 12)"]).then(
      () => true,
      () => false,
    );
    if (isNew) return each;
  }
  throw new Error(
    `postgres-mcp needs Python 3.12 or newer; none of ${all.join(", ")} is one. Name one with KATA_PYTHON, or leave it out with --only.`,
  );
}
