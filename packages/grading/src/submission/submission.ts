import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { GradingError } from "../errors.ts";

/** A submission on disk: nothing of it has run yet. */
export interface Submission {
  /** For people: `attempts/session-failover`, `reference`, `mutant catch-connection-errors`. */
  readonly label: string;
  readonly folder: string;
  /** Its `index.ts`. */
  readonly entry: string;
}

/**
 * A submission is a folder with an `index.ts`, in itself or in its `src/`.
 * @throws GradingError `SUBMISSION_NOT_FOUND`
 */
export async function findSubmission(folder: string, label: string): Promise<Submission> {
  const root = resolve(folder);
  for (const entry of [join(root, "index.ts"), join(root, "src", "index.ts")]) {
    const found = await stat(entry).catch(() => undefined);
    if (found?.isFile()) return { label, folder: root, entry };
  }
  throw new GradingError("SUBMISSION_NOT_FOUND", `There is no submission in ${folder}.`, {
    likelyCause: "a submission is a folder with an index.ts, in itself or in its src/",
    remedy: "pnpm kata start <kata> makes one for you; pnpm kata list names the katas",
  });
}

/** A hash of every file of a submission: what decides whether a prepared database is still right. */
export async function fingerprint(submission: Submission): Promise<string> {
  const root = dirname(submission.entry);
  const hash = createHash("sha256");
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && !entry.parentPath.includes("node_modules"))
    .map((entry) => join(entry.parentPath, entry.name))
    // What we keep beside the code for ourselves: histories of grades, predictions.
    .filter((file) => !file.startsWith(join(root, ".kata")))
    .sort();
  for (const file of files) hash.update(file.slice(root.length)).update(await readFile(file));
  return hash.digest("hex").slice(0, 16);
}
