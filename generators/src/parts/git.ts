import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { noChanges, notInGit } from "../errors.ts";

/**
 * What `src/` of an exercise differs in from a commit, as `verify` applies it.
 * @param since a commit, or a tree
 * @throws GeneratorError `NO_CHANGES`, `NOT_IN_GIT`
 */
export async function changesAsPatch(exercise: string, since: string): Promise<string> {
  const args = ["diff", "--no-color", "--no-ext-diff", "--relative", since, "--", "src"];
  const options = { cwd: exercise, maxBuffer: 1 << 26 };
  const git = async (...command: string[]) =>
    (
      await promisify(execFile)("git", command, options).catch((cause: unknown) => {
        throw noChanges(exercise, since, cause);
      })
    ).stdout;
  // Compared with a commit that lacks it, all of the reference would be new.
  if ((await git("ls-tree", since, "--", "src")).trim() === "") throw notInGit(exercise, since);
  const stdout = await git(...args);
  if (stdout.trim() === "") throw noChanges(exercise, since);
  return stdout;
}
