/** What `--submission` may name. */
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  composeMutant,
  findSubmission,
  type Kata,
  loadMutants,
  loadRubric,
  type Submission,
} from "@db-katas/grading";
import { ChaosError } from "./errors.ts";

/**
 * @param name `reference`, `variant x`, `mutant x`, or a folder
 * @throws ChaosError `SUBMISSION_UNKNOWN`
 */
export async function findTarget(kata: Kata, name: string, cwd: string): Promise<Submission> {
  if (name === "reference") return findSubmission(join(kata.folder, "src"), name);
  const [, kind, which = ""] = /^(variant|mutant)[ :](.+)$/.exec(name) ?? [];
  if (kind === "mutant") {
    const mutants = await loadMutants(kata, await loadRubric(kata));
    const mutant = mutants.find((each) => each.name === which);
    if (mutant) return composeMutant(kata, mutant);
  }
  const folder = kind === "variant" ? join(kata.folder, "variants", which) : resolve(cwd, name);
  if (kind !== "mutant" && (await stat(folder).catch(() => undefined))?.isDirectory()) {
    return findSubmission(folder, name);
  }
  throw new ChaosError("SUBMISSION_UNKNOWN", `There is no submission "${name}".`, {
    likelyCause: "a slip of the pen; folders are looked up from where you are",
    remedy: 'say reference, "variant <name>", "mutant <name>", or a folder',
  });
}
