import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { stageExercise } from "@db-katas/grading";
import type { Command } from "commander";
import { CliError } from "../errors.ts";
import { startProgress } from "../output.ts";
import { findWorkspace, resolveTarget } from "../workspace.ts";

interface PackOptions {
  readonly out: string;
  readonly json?: boolean;
}

export function registerPack(program: Command): void {
  program
    .command("pack")
    .argument("[kata|folder]", "a kata's name, or its folder; default: this folder")
    .description("the packages that an exercise is published as: grader, and solution")
    .option("--out <folder>", "where the files go", ".")
    .option("--json", "as JSON on stdout")
    .addHelpText(
      "after",
      `
Brief, contract, starter and compiled checks are one package, and no answer is in it. The other one,
the solution, is the exercise as you have it: reference, variants, mutants, experiments, decision log.
Learners don't install it; whoever wants to verify the exercise, to falsify its claims or to go on with it
unpacks it into projects/ of a workspace.

Examples:
  kata pack write-skew --out packed
  npm publish packed/you-write-skew-0.1.0.tgz`,
    )
    .action(run);
}

async function run(target: string | undefined, options: PackOptions): Promise<void> {
  const workspace = await findWorkspace(process.cwd());
  const { kata } = await resolveTarget(workspace, target, { reference: true }, process.cwd());
  const out = resolve(options.out);
  const progress = startProgress({ quiet: options.json === true });
  const draft = await mkdtemp(join(tmpdir(), "kata-pack-"));
  try {
    progress.update(`packing ${kata.name}`);
    await mkdir(out, { recursive: true });
    const packed = [];
    for (const { folder, name, version } of await stageExercise(kata, draft)) {
      packed.push({ name, version, file: join(out, await npmPack(folder, out)) });
    }
    progress.stop();
    process.stdout.write(
      options.json
        ? `${JSON.stringify(packed, null, 2)}\n`
        : packed.map(({ name, version, file }) => `${name}@${version}  ${file}\n`).join(""),
    );
  } finally {
    progress.stop();
    await rm(draft, { recursive: true, force: true });
  }
}

/** @returns the file's name */
async function npmPack(folder: string, out: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(
      "npm",
      ["pack", "--json", "--ignore-scripts", "--pack-destination", out],
      { cwd: folder },
    );
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
    return filename;
  } catch (cause) {
    throw new CliError("PACK_FAILED", `npm could not pack ${folder}: ${(cause as Error).message}`, {
      likelyCause: "npm is not on PATH, or the folder is not writable",
    });
  }
}
