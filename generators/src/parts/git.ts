import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { noChanges, notInGit } from "../errors.ts";

/**
 * What an answer of an exercise differs in from a commit, as `verify` applies it.
 * @param since a commit, or a tree
 * @param origin the answer, by its path in the exercise: `src`, or a variant's
 * @throws GeneratorError `NO_CHANGES`, `NOT_IN_GIT`
 */
export async function changesAsPatch(
  exercise: string,
  since: string,
  origin: string,
): Promise<string> {
  const args = ["diff", "--no-color", "--no-ext-diff", "--relative", since, "--", origin];
  const options = { cwd: exercise, maxBuffer: 1 << 26 };
  const git = async (...command: string[]) =>
    (
      await promisify(execFile)("git", command, options).catch((cause: unknown) => {
        throw noChanges(exercise, origin, since, cause);
      })
    ).stdout;
  // Compared with a commit that lacks it, all of the reference would be new.
  if ((await git("ls-tree", since, "--", origin)).trim() === "")
    throw notInGit(exercise, origin, since);
  const stdout = await git(...args);
  if (stdout.trim() === "") throw noChanges(exercise, origin, since);
  return stdout;
}
