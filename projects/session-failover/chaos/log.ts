/** Results as they come, a line of JSON each, so that a run of hundreds can be broken off and taken up again. */
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { ChaosError } from "./errors.ts";
import type { RunResult } from "./summary.ts";

interface Head {
  readonly submission: string;
  /** Hash of the submission's files. */
  readonly fingerprint: string;
}

export interface Log {
  /** What an earlier run left, by seed. */
  readonly done: ReadonlyMap<number, RunResult>;
  add(result: RunResult): Promise<void>;
}

/** @throws ChaosError `LOG_MISMATCH` when the file is about another submission */
export async function openLog(file: string | undefined, head: Head): Promise<Log> {
  if (file === undefined) return { done: new Map(), add: async () => {} };
  await mkdir(dirname(file), { recursive: true });
  const text = await readFile(file, "utf8").catch(() => "");
  // The last line may be half of one: whoever wrote it was interrupted.
  const lines = text.split("\n").slice(0, -1);
  const [first, ...results] = lines.map((line) => JSON.parse(line) as Head & RunResult);
  if (!first) await appendFile(file, `${JSON.stringify(head)}\n`);
  else if (first.fingerprint !== head.fingerprint) {
    throw new ChaosError("LOG_MISMATCH", `${file} holds results of other code.`, {
      likelyCause: `it is about ${first.submission}, or its files have changed since`,
      remedy: `remove it, or name another file: rm ${file}`,
    });
  }
  return {
    done: new Map(results.map((result) => [result.seed, result])),
    add: (result) => appendFile(file, `${JSON.stringify(result)}\n`),
  };
}
