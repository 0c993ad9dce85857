import { basename } from "node:path";
import {
  type Answers,
  applyChanges,
  type Change,
  installPackages,
  type Part,
  parts,
  type Question,
  TEMPLATE_RECORD,
} from "@db-katas/generators";
import { type Command, Option } from "commander";
import { createTwoFilesPatch } from "diff";
import { completed, spelled } from "../ask.ts";
import { startProgress } from "../output.ts";
import { writeTables } from "../tables/tables.ts";
import { asTypedHere } from "../typed.ts";
import { findWorkspace } from "../workspace.ts";

interface NewOptions {
  readonly dryRun?: boolean;
  readonly install: boolean;
  readonly json?: boolean;
  /** The answers that were given as flags. */
  readonly [question: string]: unknown;
}

export function registerNew(program: Command): void {
  const group = program
    .command("new")
    .description("make an exercise, or a part of one; it grades and verifies as it is")
    .usage("[what] [options]")
    .addHelpText(
      "after",
      `
Without a word for what, it is an exercise. What isn't said is asked, where there is a terminal.

Examples:
  kata new write-skew --engines postgres
  kata new check write-skew no-lost-update --title "of two updates none is lost"
  kata new mutant write-skew last-write-wins --must no-lost-update --changes HEAD
  kata new variant write-skew serializable --dry-run`,
    );
  for (const part of parts) registerPart(group, part);
}

function registerPart(group: Command, part: Part): void {
  const command = group
    .command(part.name, { isDefault: part.name === "exercise" })
    .description(part.description);
  for (const question of part.questions) {
    if (question.positional) command.argument(`[${question.name}]`, question.help);
    else command.addOption(flagOf(question));
  }
  command.option("--dry-run", "show the files and what is in them, and write none");
  if (part.name === "exercise") command.option("--no-install", "don't install its packages");
  command.option("--json", "as JSON on stdout").action(() => make(part, command));
}

function flagOf(question: Question): Option {
  return new Option(spelled(question), question.help);
}

function answersOf({ questions }: Part, command: Command): Answers {
  const values = command.processedArgs as (string | undefined)[];
  const options = command.opts<Record<string, string | string[] | undefined>>();
  const positional = questions.filter((question) => question.positional);
  const flags = questions.filter(({ name, flag }) => flag && options[name] !== undefined);
  for (const { name } of flags) options[name] = "yes";
  return Object.fromEntries(
    questions.map((question) => [
      question.name,
      question.positional ? values[positional.indexOf(question)] : options[question.name],
    ]),
  );
}

async function make(part: Part, command: Command): Promise<void> {
  const options = command.opts<NewOptions>();
  const workspace = await findWorkspace(process.cwd());
  const { root } = workspace;
  const answers = await completed(part, root, answersOf(part, command));
  const { changes, next, install } = await part.plan(root, answers);
  const paths = changes.map(({ path }) => path);
  if (options.dryRun) {
    const contents = Object.fromEntries(changes.map(({ path, content }) => [path, content]));
    const shown = options.json
      ? `${JSON.stringify({ files: paths, contents, written: false }, null, 2)}\n`
      : `${changes.map(preview).join("\n")}\nNothing was written.\n`;
    process.stdout.write(shown);
    return;
  }
  await untilInterrupted("Nothing was written.", (signal) =>
    applyChanges(root, changes, { signal }),
  );
  const isInstalled = install === true && options.install;
  if (isInstalled) {
    await installIn(root, options);
    await writeTables(workspace, rootOf(command));
  }
  const left = install && !isInstalled ? ["pnpm install", ...next] : next;
  const steps = left.map((step) => asTypedHere(step));
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ files: paths, written: true, next: steps }, null, 2)}\n`
      : `${paths.join("\n")}\n\nNext:\n${steps.map((step) => `  ${step}\n`).join("")}`,
  );
}

function rootOf(command: Command): Command {
  return command.parent ? rootOf(command.parent) : command;
}

async function installIn(root: string, { json }: NewOptions): Promise<void> {
  const progress = startProgress({ quiet: json === true });
  progress.update("installing its packages");
  const left = "The files are written; its packages are not installed: pnpm install";
  await untilInterrupted(left, (signal) => installPackages(root, signal)).finally(() =>
    progress.stop(),
  );
}

/** Ctrl-C ends the work in good order, and then us. @param left what is said then */
async function untilInterrupted(
  left: string,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const onSignal = () => controller.abort();
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    await work(controller.signal);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    process.stderr.write(`\n${asTypedHere(left)}\n`);
    process.exit(130);
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

/** A new file whole; of another one what changes. */
function preview({ path, content, before }: Change): string {
  if (basename(path) === TEMPLATE_RECORD)
    return `── ${path}\n(all of this once more, for kata update)\n`;
  if (before === undefined) return `── ${path}\n${content}`;
  return createTwoFilesPatch(`a/${path}`, `b/${path}`, before, content);
}
