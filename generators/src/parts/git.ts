import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { noChanges } from "../errors.ts";

/**
 * What `src/` of an exercise differs in from a commit, as `verify` applies it.
 * @throws GeneratorError `NO_CHANGES`
 */
export async function changesAsPatch(exercise: string, since: string): Promise<string> {
  const args = ["diff", "--no-color", "--no-ext-diff", "--relative", since, "--", "src"];
  const options = { cwd: exercise, maxBuffer: 1 << 26 };
  const { stdout } = await promisify(execFile)("git", args, options).catch((cause: unknown) => {
    throw noChanges(exercise, since, cause);
  });
  if (stdout.trim() === "") throw noChanges(exercise, since);
  return stdout;
}
