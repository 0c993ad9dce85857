import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { parseSeed } from "./session.ts";

export interface GateSeed {
  readonly seed: number;
  /** For people: where it comes from. */
  readonly from: string;
}

/**
 * What a gate draws by: the commit. So it sees the same thing twice, and what it leaves out today it
 * draws with another commit.
 * @param asked `KATA_SEED`, which goes first
 */
export async function gateSeed(root: string, asked: string | undefined): Promise<GateSeed> {
  if (asked) return { seed: parseSeed(asked), from: "KATA_SEED" };
  const commit = await headOf(root);
  if (commit === undefined) return { seed: 1, from: "there is no commit to draw by" };
  return {
    seed: Number.parseInt(commit.slice(0, 8), 16) >>> 1,
    from: `commit ${commit.slice(0, 8)}`,
  };
}

/** Undefined: no git, no repository, or nothing committed yet. */
async function headOf(root: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)("git", ["-C", root, "rev-parse", "HEAD"]);
    return stdout.trim();
  } catch {
    return undefined;
  }
}
