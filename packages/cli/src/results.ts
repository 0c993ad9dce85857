import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Scorecard, scorecardSchema } from "@db-katas/grading";
import { z } from "zod";
import { CliError } from "./errors.ts";
import type { Workspace } from "./workspace.ts";

/** The last scorecard of each submission, for `kata hint`. */
function fileOf(workspace: Workspace, kata: string, submission: string): string {
  const name = submission.replaceAll(/[^\w-]+/g, "_");
  return join(workspace.root, ".kata", "results", kata, `${name}.json`);
}

/** Keeps a scorecard; results of checks that were not run this time are kept from before. */
export async function saveScorecard(workspace: Workspace, scorecard: Scorecard): Promise<void> {
  const file = fileOf(workspace, scorecard.kata, scorecard.submission);
  const before = await readFileIfAny(file);
  const ran = new Set(scorecard.checks.map((check) => check.id));
  const kept = before?.checks.filter((check) => !ran.has(check.id)) ?? [];
  await writeJson(file, { ...scorecard, checks: [...kept, ...scorecard.checks] });
}

/**
 * @param typed what people type after `kata grade` for this submission
 * @throws CliError `RESULT_MISSING`
 */
export async function lastScorecard(
  workspace: Workspace,
  kata: string,
  submission: string,
  typed: string,
): Promise<Scorecard> {
  const found = await readFileIfAny(fileOf(workspace, kata, submission));
  if (found) return found;
  throw new CliError("RESULT_MISSING", `${submission} has not been graded yet.`, {
    remedy: `pnpm kata grade ${typed}`,
  });
}

async function readFileIfAny(file: string): Promise<Scorecard | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return scorecardSchema.parse(JSON.parse(text));
  } catch {
    // Left by another version, or cut off: the next grade writes it anew.
    return undefined;
  }
}

/** Writes aside and renames, so that a reader never sees half a file. */
export async function writeWhole(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.tmp`;
  await writeFile(draft, text);
  await rename(draft, file);
}

export function writeJson(file: string, value: unknown): Promise<void> {
  return writeWhole(file, `${JSON.stringify(value, null, 2)}\n`);
}

/** A grade in which all checks were accounted for, and what it was a grade of. */
export const fullGradeSchema = z.object({
  /** Of the submission's code. */
  fingerprint: z.string(),
  /** Of what graded it: exercise, grader, Node. */
  sources: z.string(),
  environment: z.object({
    node: z.string(),
    os: z.string(),
    kata: z.string().describe("the version of @db-katas/cli"),
  }),
  scorecard: scorecardSchema,
});

export type FullGrade = z.infer<typeof fullGradeSchema>;

/** Keeps the last full grade of a submission: what is submitted, and who may see the reference. */
export async function saveFullGrade(workspace: Workspace, full: FullGrade): Promise<void> {
  const { kata, submission } = full.scorecard;
  await writeJson(fileOf(workspace, kata, `${submission} full`), full);
}

/** Undefined: all checks at once were never run. */
export async function lastFullGrade(
  workspace: Workspace,
  kata: string,
  submission: string,
): Promise<FullGrade | undefined> {
  const file = fileOf(workspace, kata, `${submission} full`);
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return fullGradeSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
