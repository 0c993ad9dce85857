import { rename, writeFile } from "node:fs/promises";
import { exitCodeOf, fingerprint, type Submission } from "@db-katas/grading";
import { type Command, InvalidArgumentError } from "commander";
import prettyBytes from "pretty-bytes";
import { CliError } from "../errors.ts";
import { gradeOnce } from "../grade-once.ts";
import { type Progress, startProgress } from "../output.ts";
import { type FullGrade, lastFullGrade } from "../results.ts";
import { chooseSeed, openSession, parseSeed } from "../session.ts";
import { sourcesOf } from "../soak/journal.ts";
import { findWorkspace, resolveTarget, type Target, type Workspace } from "../workspace.ts";
import { parseConcurrency } from "./grade.ts";

interface SubmitOptions {
  readonly kata?: string;
  readonly bundle?: string | true;
  readonly author?: string;
  readonly seed?: number;
  readonly fresh?: boolean;
  readonly isolated?: boolean;
  readonly json?: boolean;
  readonly concurrency: number;
}

export function registerSubmit(program: Command): void {
  program
    .command("submit")
    .argument(
      "[kata|folder]",
      "a kata's name (your attempt at it), or a folder; default: this folder",
    )
    .description("your code and what it was graded, as one file for whoever grades it again")
    .option("--bundle [file]", "where it goes (default: <kata>.kata.tar.gz)")
    .option("--kata <name>", "the kata, where the folder doesn't tell")
    .option("--author <name>", "whose it is; else its file's name has to tell", parseAuthor)
    .option("--fresh", "grade anew, even if nothing has changed since the last full grade")
    .option("--seed <number>", "of the grade", parseSeed)
    .option("--isolated", "as for grade")
    .option("--concurrency <n>", "checks at the same moment", parseConcurrency, 3)
    .option("--json", "as JSON on stdout")
    .addHelpText(
      "after",
      `
In it: the code (nothing hidden, no packages), the scorecard with its seed, versions of Node, system
and engines, and a hash of each file. It is not signed: the points in it are a claim, and
\`kata grade --bundle\` measures them again.

Exit codes: those of grade, for what was graded; 2 if there is no bundle`,
    )
    .action(run);
}

async function run(named: string | undefined, options: SubmitOptions): Promise<void> {
  const workspace = await findWorkspace(process.cwd());
  const asked = options.kata === undefined ? {} : { kata: options.kata };
  const target = await resolveTarget(workspace, named, asked, process.cwd());
  const { collectCode } = await import("../submit/collect.ts");
  const { packBundle, sha256 } = await import("../submit/bundle.ts");
  // Before the grade, which takes long: what can't be submitted should be known at once.
  await collectCode(target.submission.folder);
  const progress = startProgress({ quiet: options.json === true });
  const known = await knownGrade(workspace, target, options);
  const full = known ?? (await gradeNow(workspace, target, options, progress));
  const code = await collectCode(target.submission.folder);
  await assertSame(target.submission, full);
  const bytes = await packBundle(full, code, options.author);
  const file =
    typeof options.bundle === "string" ? options.bundle : `${target.kata.name}.kata.tar.gz`;
  await write(file, bytes);
  const { points, startedAt, seed } = full.scorecard;
  const made = { file, bytes: bytes.length, sha256: sha256(bytes), files: code.length };
  process.exitCode = exitCodeOf(full.scorecard);
  if (options.json) {
    const said = { ...made, points, seed, gradedAt: startedAt, isFresh: known === undefined };
    process.stdout.write(`${JSON.stringify(said, null, 2)}\n`);
    return;
  }
  process.stdout.write(
    [
      ...(known ? [`Nothing has changed since the grade of ${startedAt}: it is taken.`] : []),
      `${file}: ${made.files} files, ${prettyBytes(made.bytes)}, claiming ${points.earned} of ${points.possible} points (seed ${seed})`,
      `SHA-256 ${made.sha256}`,
      `Who grades it measures anew: pnpm kata grade --bundle ${file} --isolated`,
      "",
    ].join("\n"),
  );
}

/** The last grade by all checks, if code, exercise and grader are still the same. */
async function knownGrade(
  workspace: Workspace,
  { kata, submission }: Target,
  { fresh, seed, isolated }: SubmitOptions,
): Promise<FullGrade | undefined> {
  const last = await lastFullGrade(workspace, kata.name, submission.label);
  if (!last || fresh || (seed !== undefined && seed !== last.scorecard.seed)) return undefined;
  if (isolated && last.scorecard.isolation !== "namespaces") return undefined;
  const isSame =
    last.fingerprint === (await fingerprint(submission)) &&
    last.sources === (await sourcesOf(workspace.root, kata.folder));
  return isSame ? last : undefined;
}

async function gradeNow(
  workspace: Workspace,
  target: Target,
  { seed, isolated, concurrency }: SubmitOptions,
  progress: Progress,
): Promise<FullGrade> {
  await using session = await openSession(progress);
  const options = { seed: chooseSeed(seed), isolated, concurrency };
  await gradeOnce(workspace, target, options, session, progress);
  const { kata, submission } = target;
  const full = await lastFullGrade(workspace, kata.name, submission.label);
  if (full) return full;
  throw new Error("A full grade was not kept.");
}

/** @throws CliError `SUBMISSION_UNFIT` */
async function assertSame(submission: Submission, full: FullGrade): Promise<void> {
  if (full.fingerprint === (await fingerprint(submission))) return;
  throw new CliError("SUBMISSION_UNFIT", "The code has changed while it was graded.", {
    remedy: "save everything, then the same command again",
  });
}

/** @throws CliError `FILE_UNUSABLE` */
async function write(file: string, bytes: Buffer): Promise<void> {
  const draft = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(draft, bytes);
    await rename(draft, file);
  } catch (error) {
    const [why] = (error as Error).message.split(",");
    throw new CliError("FILE_UNUSABLE", `${file} can't be written: ${why}.`, {
      remedy: "pnpm kata submit --bundle <file in a folder that you may write>",
    });
  }
}

function parseAuthor(text: string): string {
  const name = text.trim();
  if (name === "" || name.length > 200 || /\p{C}/u.test(name)) {
    throw new InvalidArgumentError("A name has 1 to 200 characters that can be seen.");
  }
  return name;
}
