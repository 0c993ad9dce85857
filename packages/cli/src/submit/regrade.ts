/** Grades what others have submitted, one bundle after another. */
import { mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import {
  findSubmission,
  GradingError,
  grade,
  loadRubric,
  type Scorecard,
  scorecardSchema,
} from "@db-katas/grading";
import { z } from "zod";
import { writeFiles } from "../archive.ts";
import { CliError } from "../errors.ts";
import type { Session } from "../session.ts";
import { sourcesOf } from "../soak/journal.ts";
import { findKata, type Workspace } from "../workspace.ts";
import { type OpenedBundle, openBundle } from "./bundle.ts";

const pointsSchema = scorecardSchema.shape.points;

/** One bundle, as it is told of. */
export const regradedSchema = z.object({
  file: z.string(),
  name: z.string(),
  kata: z.string().optional(),
  claimed: pointsSchema.optional(),
  measured: pointsSchema.optional(),
  differs: z
    .array(z.string())
    .describe("checks that passed there and not here, or the other way round"),
  altered: z.array(z.string()).describe("what was changed after the bundle was made"),
  seed: z.int().optional(),
  durationMs: z.number().optional(),
  refused: z.string().describe("why it was not graded").optional(),
});

export type Regraded = z.infer<typeof regradedSchema>;

export interface RegradeOptions {
  readonly seed: number;
  readonly isolated: boolean;
  readonly concurrency: number;
}

/** Refused: what is wrong with it is its author's affair, and the others are graded all the same. */
export async function tryOpen(file: string): Promise<OpenedBundle | Regraded> {
  try {
    return await openBundle(file);
  } catch (error) {
    return refusedBundle(file, error);
  }
}

/** @throws the error, if it is ours or the machine's and not the bundle's */
export function refusedBundle(file: string, error: unknown): Regraded {
  const isBundles =
    error instanceof CliError ||
    (error instanceof GradingError && error.code === "SUBMISSION_NOT_FOUND");
  if (!isBundles) throw error;
  const [refused = ""] = error.message.split("\n");
  return { file, name: nameOf(file, undefined), differs: [], altered: [], refused };
}

/**
 * Grades a bundle's code in a folder of the session, which goes with it.
 * @param number no other bundle's
 * @throws CliError `KATA_UNKNOWN`, GradingError
 */
export async function regrade(
  file: string,
  { manifest, claimed, code, altered }: OpenedBundle,
  workspace: Workspace,
  { engines, compileCache, signal }: Session,
  { seed, isolated, concurrency }: RegradeOptions,
  number: number,
): Promise<Regraded> {
  const kata = await findKata(workspace, manifest.kata);
  const folder = join(engines.folder, "bundles", String(number));
  await mkdir(folder, { recursive: true });
  try {
    await writeFiles(folder, code);
    const name = nameOf(file, manifest.author);
    const submission = await findSubmission(folder, name);
    const scorecard = await grade({
      kata,
      rubric: await loadRubric(kata),
      submission,
      engines,
      seed,
      isolated,
      concurrency,
      target: `<the folder that ${basename(file)} is unpacked to> --kata ${kata.name}`,
      compileCache,
      signal,
    });
    return {
      file,
      name,
      kata: kata.name,
      claimed: claimed.points,
      measured: scorecard.points,
      differs: differences(claimed, scorecard),
      altered: [...altered],
      seed,
      durationMs: Math.round(scorecard.durationMs),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What decides what a bundle gets here: kept results of other sources are of no use. */
export async function sourcesFor(workspace: Workspace, name: string): Promise<string> {
  const kata = await findKata(workspace, name);
  return sourcesOf(workspace.root, kata.folder);
}

/** Text for a terminal and a spreadsheet, whatever somebody has called himself. */
export function nameOf(file: string, author: string | undefined): string {
  const shown = stripVTControlCharacters(author ?? "")
    .replaceAll(/\p{C}/gu, "")
    .trim();
  return shown || basename(file).replace(/(?:\.kata)?\.(?:tar\.gz|tgz)$/, "");
}

function differences(claimed: Scorecard, measured: Scorecard): string[] {
  const passed = (card: Scorecard, id: string) =>
    card.checks.find((check) => check.id === id)?.verdict === "passed";
  return measured.checks
    .map(({ id }) => id)
    .filter((id) => passed(claimed, id) !== passed(measured, id));
}
