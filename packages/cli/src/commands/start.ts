import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { installPackages } from "@db-katas/generators";
import type { Kata } from "@db-katas/grading";
import type { Command } from "commander";
import { CliError } from "../errors.ts";
import { startProgress } from "../output.ts";
import { exists, findKata, findWorkspace, type Workspace } from "../workspace.ts";

export function registerStart(program: Command): void {
  program
    .command("start")
    .argument("<kata>", "pnpm kata list names them")
    .description("make your own copy of an exercise, from its starter, in attempts/")
    .option("--no-install", "don't install the attempt's packages")
    .option("--json", "as JSON on stdout")
    .action(async (name: string, options: { install: boolean; json?: boolean }) => {
      const workspace = await findWorkspace(process.cwd());
      const kata = await findKata(workspace, name);
      const folder = await createAttempt(workspace, kata);
      const progress = startProgress({ quiet: options.json === true });
      if (options.install) {
        progress.update("installing its packages");
        await installPackages(workspace.root).finally(() => progress.stop());
      }
      if (options.json) {
        process.stdout.write(`${JSON.stringify({ kata: kata.name, folder }, null, 2)}\n`);
        return;
      }
      const shown = relative(process.cwd(), folder);
      process.stdout.write(
        [
          `${kata.definition.title}: your copy is in ${shown}/`,
          "",
          `  read     ${join(shown, "README.md")}       the brief`,
          `  write    ${join(shown, "src", "index.ts")}    what you submit`,
          `  grade    pnpm kata grade ${kata.name} --watch`,
          `  stuck?   pnpm kata hint ${kata.name}`,
          "",
        ].join("\n"),
      );
    });
}

/**
 * Copies brief, contract and starter, and nothing that tells the answer.
 * @throws CliError `ATTEMPT_EXISTS`
 */
async function createAttempt(workspace: Workspace, kata: Kata): Promise<string> {
  const folder = join(workspace.root, "attempts", kata.name);
  if (await exists(folder)) {
    throw new CliError("ATTEMPT_EXISTS", `You have already started ${kata.name}, in ${folder}.`, {
      remedy: `pnpm kata grade ${kata.name}   (to start over, move that folder away first)`,
    });
  }
  // Made aside and renamed: an attempt is there whole or not at all.
  const draft = join(workspace.root, "attempts", `.draft-${kata.name}-${process.pid}`);
  try {
    await mkdir(draft, { recursive: true });
    await cp(join(kata.folder, "starter"), join(draft, "src"), { recursive: true });
    await cp(join(kata.folder, "contract.ts"), join(draft, "contract.ts"));
    await writeFile(join(draft, "README.md"), await briefFor(kata, folder));
    await writeFile(
      join(draft, "package.json"),
      `${JSON.stringify(await attemptManifest(kata), null, 2)}\n`,
    );
    // A grade is never remembered: turbo doesn't look into ignored folders, nor at the checks.
    await writeFile(
      join(draft, "turbo.json"),
      `${JSON.stringify({ extends: ["//"], tasks: { test: { cache: false } } }, null, 2)}\n`,
    );
    const base = relative(folder, join(workspace.root, "tsconfig.base.json"));
    await writeFile(
      join(draft, "tsconfig.json"),
      `${JSON.stringify({ extends: base, include: ["src", "contract.ts"] }, null, 2)}\n`,
    );
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw error;
  }
  return folder;
}

/** The brief, with links to what an attempt doesn't have pointed at the project. */
async function briefFor(kata: Kata, folder: string): Promise<string> {
  const brief = await readFile(join(kata.folder, "README.md"), "utf8");
  const project = relative(folder, kata.folder).replaceAll("\\", "/");
  return brief.replaceAll(/\]\((?!\w+:|#|contract\.ts)([^)]+)\)/g, `](${project}/$1)`);
}

async function attemptManifest(kata: Kata): Promise<object> {
  const project = JSON.parse(await readFile(join(kata.folder, "package.json"), "utf8")) as {
    dependencies?: Record<string, string>;
    devDependencies?: Record<string, string>;
  };
  // The tools of the reference (types of drivers, code generators), without those of its grader.
  const tools = Object.entries(project.devDependencies ?? {}).filter(
    ([name]) => !name.startsWith("@db-katas/") && name !== "vitest",
  );
  return {
    name: `@attempts/${kata.name}`,
    private: true,
    type: "module",
    kata: kata.name,
    scripts: {
      types: "tsc -p .",
      grade: "kata grade .",
      test: "kata grade . --report json=.kata/report/grade.json",
    },
    dependencies: project.dependencies ?? {},
    devDependencies: { "@db-katas/cli": "workspace:*", ...Object.fromEntries(tools) },
  };
}
