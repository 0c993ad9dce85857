#!/usr/bin/env node
import { basename, join, resolve } from "node:path";
import { createAttempt } from "@db-katas/generators/create-attempt";
import { GeneratorError, shapeUnknown } from "@db-katas/generators/errors";
import { checkName } from "@db-katas/generators/names";
import { recordOfTexts, TEMPLATE_RECORD } from "@db-katas/generators/template-record";
import { Command, CommanderError, Option } from "commander";
import { callingPackageManager, commandsIn, isInRepository, versionOf } from "./commands.ts";
import {
  CreateError,
  enginesMissing,
  engineUnknown,
  kataUnknown,
  nothingChosen,
} from "./errors.ts";
import {
  addTo,
  checkFree,
  commandsFor,
  type Enclosing,
  findEnclosing,
  wouldAdd,
} from "./inside.ts";
import { exerciseFolder, type Offer, readOffer, readTsconfig } from "./offer.ts";
import { type Answers, askFolder, askWhat, type OwnExercise } from "./questions.ts";
import {
  type Choices,
  kataCommand,
  newArguments,
  type PackageManager,
  workspaceFiles,
} from "./workspace.ts";
import { checkFolder, rehearse, writeWhole } from "./write.ts";

interface Options {
  readonly kata?: string[];
  readonly new?: string;
  readonly engines?: string[];
  readonly shape?: string;
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly install: boolean;
  readonly git: boolean;
  readonly pm?: PackageManager;
  readonly json?: boolean;
  readonly dryRun?: boolean;
}

const DEFAULT_FOLDER = "my-katas";

const program = new Command("create-db-kata")
  .argument("[dir]", "the folder to make", undefined)
  .description("a workspace with database exercises, graded on real engines")
  .option("--kata <name...>", "the exercises to begin with")
  .option("--new <name>", "a new exercise of your own")
  .option("--engines <name...>", "what it runs on")
  .option("--shape <name>", "how its grader calls it: library (default), http or websocket")
  .option("-y, --yes", "ask nothing: the first exercise, unless you say which")
  .option("--force", "into a folder that isn't empty; nothing is overwritten")
  .option("--no-install", "don't install packages")
  .option("--no-git", "don't make a repository")
  .addOption(new Option("--pm <name>", "package manager").choices(["pnpm", "npm"]))
  .option("--json", "say what was done as JSON on stdout")
  .option("--dry-run", "show the files and what is in them, and write none")
  .addHelpText(
    "after",
    `
Examples:
  pnpm create db-kata my-katas --kata session-failover
  npm create db-kata@latest -- my-katas --kata session-failover
  pnpm create db-kata . --new write-skew --engines postgres
  pnpm create db-kata . --new write-skew --engines postgres redis --shape http

Exit codes: 0 done, 2 not done, 130 ended by Ctrl-C`,
  )
  .showHelpAfterError("(add --help for what there is)")
  .exitOverride()
  .action(run);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

async function run(dir: string | undefined, options: Options): Promise<void> {
  const offer = await readOffer();
  const enclosing = await findEnclosing(resolve(dir ?? "."));
  if (enclosing) return add(enclosing, options, offer);
  const choices = await choose(dir, options, offer);
  const { folder, pm, katas, own } = choices;
  const written = workspaceFiles(packageName(folder), choices, offer, await readTsconfig());
  // `kata update` asks a newer version of this command, in a dry run, for its record.
  const record = recordOfTexts(written, `create-db-kata@${offer.version}`);
  const files = { ...written, [TEMPLATE_RECORD]: record };
  const addAttempts = async (draft: string) => {
    for (const name of katas) {
      const installed = join(draft, "node_modules", packageOf(name, offer));
      await createAttempt({ name, exercise: exerciseFolder(name), root: draft, installed });
    }
  };
  await checkFolder(folder, [...Object.keys(files), "attempts"], options.force === true);
  if (options.dryRun) return preview(folder, await rehearse(files, addAttempts), options);
  await writeWhole(folder, files, addAttempts);
  const { run: command } = commandsIn(folder);
  const git = options.git && !(await isInRepository(folder));
  if (git) await command("git", "init", "--quiet");
  if (options.install) {
    await command(pm, "install");
    if (own) {
      const [program = "", ...before] = kataCommand(pm).split(" ");
      await command(program, ...before, ...newArguments(own));
    }
  }
  const report = { folder, pm, katas, own, git, installed: options.install };
  process.stdout.write(
    options.json ? `${JSON.stringify(report, null, 2)}\n` : whatNext(choices, options),
  );
}

/** To the workspace that we are in. */
async function add(enclosing: Enclosing, options: Options, offer: Offer): Promise<void> {
  const { root, pm } = enclosing;
  const answers = await chooseWhat(options, offer, enclosing.own);
  await checkFree(enclosing, answers);
  if (options.dryRun) return preview(root, await wouldAdd(enclosing, answers), options);
  const commands = commandsFor(enclosing, answers, offer, options.install);
  process.stderr.write(`${root} is a workspace already: this goes there.\n`);
  await addTo(enclosing, commands);
  const { katas, own } = answers;
  const report = { folder: root, pm, katas, own, git: false, installed: options.install };
  process.stdout.write(
    options.json
      ? `${JSON.stringify(report, null, 2)}\n`
      : whatNext({ folder: root, pm, ...answers }, options, true),
  );
}

/** What flags don't say is asked, if there is somebody to ask. */
async function choose(dir: string | undefined, options: Options, offer: Offer): Promise<Choices> {
  const asks = isAsking(options);
  if (!isSaid(options) && !asks && !options.yes) throw nothingChosen(namesOf(offer, []));
  const folder = dir ?? (asks ? await askFolder(DEFAULT_FOLDER) : DEFAULT_FOLDER);
  const answers = await chooseWhat(options, offer, []);
  const pm = options.pm ?? (callingPackageManager()?.name === "npm" ? "npm" : "pnpm");
  const pmVersion = await versionOf(pm, offer.pnpm);
  return { folder: resolve(folder), pm, pmVersion, ...answers };
}

/** @param more exercises that are there beside those that are offered */
async function chooseWhat(
  options: Options,
  offer: Offer,
  more: readonly string[],
): Promise<Answers> {
  const known = namesOf(offer, more);
  const asks = isAsking(options);
  if (!isSaid(options) && !asks && !options.yes) throw nothingChosen(known);
  const answers = isSaid(options)
    ? saidBy(options)
    : asks
      ? await askWhat(offer)
      : { katas: [known[0] ?? ""] };
  const unknown = answers.katas.find((name) => !known.includes(name));
  if (unknown !== undefined) throw kataUnknown(unknown, known);
  if (answers.own) checkOwn(answers.own, offer);
  return answers;
}

function isAsking({ yes, json }: Options): boolean {
  return Boolean(process.stdin.isTTY && process.stdout.isTTY && !yes && !json);
}

function isSaid(options: Options): boolean {
  return options.kata !== undefined || options.new !== undefined;
}

function namesOf(offer: Offer, more: readonly string[]): string[] {
  return [...new Set([...offer.katas.map(({ name }) => name), ...more])];
}

function saidBy({ kata = [], new: name, engines = [], shape }: Options): Answers {
  const split = (lists: readonly string[]) => lists.flatMap((list) => list.split(","));
  const katas = split(kata);
  return name === undefined ? { katas } : { katas, own: { name, engines: split(engines), shape } };
}

function checkOwn({ name, engines, shape }: OwnExercise, offer: Offer): void {
  checkName(name);
  const known = offer.engines.map((engine) => engine.name);
  if (engines.length === 0) throw enginesMissing(known);
  const unknown = engines.find((engine) => !known.includes(engine));
  if (unknown !== undefined) throw engineUnknown(unknown, known);
  const shapes = offer.shapes.map((each) => each.name);
  if (shape !== undefined && !shapes.includes(shape)) throw shapeUnknown(shape, shapes);
}

function packageOf(name: string, offer: Offer): string {
  return offer.katas.find((kata) => kata.name === name)?.package ?? name;
}

/** As npm wants it, whatever the folder is called. */
function packageName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  return name || DEFAULT_FOLDER;
}

function preview(folder: string, files: Readonly<Record<string, string>>, { json }: Options): void {
  const parts = Object.entries(files).map(([path, text]) => `── ${path}\n${text}`);
  process.stdout.write(
    json
      ? `${JSON.stringify({ folder, files, written: false }, null, 2)}\n`
      : `${parts.join("\n")}\nNothing was written to ${folder}.\n`,
  );
}

/** @param isMade whether there is an exercise of one's own already, if one was wanted */
function whatNext(
  { folder, pm, katas, own }: Pick<Choices, "folder" | "pm" | "katas" | "own">,
  { install }: Options,
  isMade = install,
): string {
  const kata = kataCommand(pm);
  const lines = [`cd ${folder}`];
  if (!install) lines.push(`${pm} install`);
  if (own && !isMade) lines.push([kata, ...newArguments(own)].join(" "));
  if (own) lines.push(`${kata} verify ${own.name}`);
  for (const name of katas) lines.push(`${kata} grade ${name} --watch`);
  return `\nYour workspace is ready. Now:\n\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof CreateError || error instanceof GeneratorError) {
    process.stderr.write(`${error.code}  ${error.message}\n`);
    if (error.code === "INTERRUPTED") return 130;
  } else {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`UNEXPECTED  This is a fault of create-db-kata.\n${text}\n`);
  }
  return 2;
}
