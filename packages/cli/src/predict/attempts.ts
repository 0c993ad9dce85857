import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Kata } from "@db-katas/grading";
import { CliError } from "../errors.ts";
import { readHistory } from "../falsify/archive.ts";
import { listKatas, type Target, type Workspace } from "../workspace.ts";
import { attemptFolder, readGrades } from "./grades.ts";
import { readPredictions } from "./predictions.ts";
import {
  measuredChecks,
  measuredClaims,
  type Standing,
  type Subject,
  standingsOf,
} from "./standings.ts";

/** Where the predictions about a submission are kept. @throws CliError `NOT_AN_ATTEMPT` */
export function attemptOf(workspace: Workspace, { kata, submission }: Target): string {
  const folder = attemptFolder(workspace, submission);
  if (folder) return folder;
  throw new CliError("NOT_AN_ATTEMPT", `${submission.label} is no attempt of yours.`, {
    likelyCause:
      "predictions and grades are kept in attempts/ only, beside the code that they are about",
    remedy: `pnpm kata start ${kata.name}`,
  });
}

/**
 * What was predicted of an attempt, and what came of that.
 * @param kata undefined where the exercise is gone; its claims can't be told then
 * @param others what stands there too, although nobody has said anything of it
 */
export async function standingsIn(
  attempt: string,
  kata: Kata | undefined,
  others: readonly Subject[] = [],
): Promise<Standing[]> {
  const [predictions, grades, history] = await Promise.all([
    readPredictions(attempt),
    readGrades(attempt),
    kata ? readHistory(kata) : [],
  ]);
  return standingsOf(predictions, measuredChecks(grades), measuredClaims(history), others);
}

export interface Attempt {
  readonly folder: string;
  /** The exercise's name. */
  readonly name: string;
  readonly kata: Kata | undefined;
}

/** Every attempt of the workspace, in the order of their folders' names. */
export async function listAttempts(workspace: Workspace): Promise<Attempt[]> {
  const katas = await listKatas(workspace);
  const attempts = join(workspace.root, "attempts");
  const names = (await readdir(attempts).catch(() => [])).filter((name) => !name.startsWith("."));
  return Promise.all(
    names.sort().map(async (folderName) => {
      const folder = join(attempts, folderName);
      const manifest = await readFile(join(folder, "package.json"), "utf8").catch(() => "{}");
      const { kata: name = folderName } = JSON.parse(manifest) as { kata?: string };
      return { folder, name, kata: katas.find((each) => each.name === name) };
    }),
  );
}
