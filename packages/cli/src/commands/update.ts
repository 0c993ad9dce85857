import { basename } from "node:path";
import { installPackages } from "@db-katas/generators";
import { terminalPaint } from "@db-katas/grading";
import type { Command } from "commander";
import { startProgress } from "../output.ts";
import type { Outcome } from "../update/merge-trees.ts";
import type { Update } from "../update/plan.ts";
import { changeWhole, recover } from "../update/transaction.ts";
import { findWorkspace } from "../workspace.ts";

interface UpdateOptions {
  readonly to: string;
  readonly dryRun?: boolean;
  readonly install: boolean;
  readonly json?: boolean;
}

/** What an install writes. */
const LOCK_FILES = ["pnpm-lock.yaml", "package-lock.json"];

export function registerUpdate(program: Command): void {
  program
    .command("update")
    .description("newer exercises, graders and tools, merged with what you have written")
    .option("--to <version>", "a version, or a tag of the registry", "latest")
    .option("--dry-run", "say what would become of which file, and change none")
    .option("--no-install", "don't install packages")
    .option("--json", "as JSON on stdout")
    .addHelpText(
      "after",
      `
Three versions of each file meet: what it was made from (.kata-template.json), what it would be made
from now, and yours. Where both sides have changed the same lines, both are there, between <<<<<<< and
>>>>>>>, as git has it; of package.json and other JSON it is keys instead of lines, and yours stay.
In a clone, where git brings the newer exercises, it is about attempts/, and exercises of kata new's.

An exercise that kata new has made is merged with newer templates. What its author has removed, or written
anew, stays as it is.

Nothing is lost: what was there before is kept in .kata/backups/, and an update that is interrupted is
undone.

Exit codes: 0 done, 1 conflicts are left to you, 2 not done`,
    )
    .action(run);
}

async function run(options: UpdateOptions): Promise<void> {
  const workspace = await findWorkspace(process.cwd());
  const { root } = workspace;
  const recovered = await recover(root);
  if (recovered !== undefined) process.stderr.write(`${recovered}\n`);
  const progress = startProgress({ quiet: options.json === true });
  progress.update("looking for what is newer");
  // What merges is loaded only here: no other command waits for it.
  const { planUpdate } = await import("../update/plan.ts");
  const update = await planUpdate(workspace, options.to).finally(() => progress.stop());
  const { changes, outcomes } = update;
  const backup =
    options.dryRun || changes.size === 0
      ? undefined
      : await changeWhole(root, changes, LOCK_FILES, async () => {
          const isNeeded = [...changes.keys()].some((path) => basename(path) === "package.json");
          if (!options.install || !isNeeded) return;
          progress.update("installing packages");
          await installPackages(root).finally(() => progress.stop());
        });
  const written = backup !== undefined;
  process.exitCode = outcomes.some(({ state }) => state === "conflict") ? 1 : 0;
  const { versions, notes } = update;
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ versions, files: outcomes, notes, written, backup }, null, 2)}\n`
      : formatUpdate(update, backup, options.dryRun === true),
  );
}

function formatUpdate(
  { versions, outcomes, changes, notes }: Update,
  backup: string | undefined,
  dryRun: boolean,
): string {
  if (changes.size === 0) return [...notes, "Everything is up to date.", ""].join("\n");
  const width = Math.max(0, ...outcomes.map(({ path }) => path.length));
  const conflicts = outcomes.filter(({ state }) => state === "conflict").length;
  const lines = [
    ...versions,
    ...outcomes.map((outcome) => `  ${formatOutcome(outcome, width)}`),
    ...notes,
    ...(conflicts > 0
      ? [`${conflicts} ${conflicts === 1 ? "conflict is" : "conflicts are"} left to you.`]
      : []),
    dryRun ? "Nothing was written." : `What was there before: ${backup}`,
  ];
  return `${lines.join("\n")}\n`;
}

const STYLES = { updated: "green", merged: "green", conflict: "red", kept: "gray" } as const;

function formatOutcome({ path, state, note }: Outcome, width: number): string {
  const told = `${terminalPaint(STYLES[state], state.padEnd(8))}  `;
  return note === undefined ? `${told}${path}` : `${told}${path.padEnd(width)}  ${note}`;
}
