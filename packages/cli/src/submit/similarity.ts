/** Which submissions have more in common than an exercise explains. Hints, never verdicts. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Kata } from "@db-katas/grading";
import { File, FingerprintIndex, Region, TokenizedFile, WinnowFilter } from "@dodona/dolos-core";
import jsTokens from "js-tokens";
import type { ArchivedFile } from "../archive.ts";
import { listFiles } from "../files.ts";

/**
 * Runs of tokens that are shorter never match (k), and those as long as GUARANTEED always do (t). The
 * window is t − k + 1.
 * @see Schleimer, Wilkerson, Aiken: Winnowing (2003), https://doi.org/10.1145/872757.872770, section 3
 */
const NOISE = 16;
const GUARANTEED = 24;
/** Fewer fingerprints than that are a coincidence, however small the submissions. */
const LEAST_SHARED = 10;
/** The share of the smaller one's fingerprints from which on it is worth a look. */
const WORTH_A_LOOK = 0.5;

export interface Likeness {
  readonly names: readonly [string, string];
  /** Of the smaller one's fingerprints beyond the starter, how many the other one has too: 0 to 1. */
  readonly share: number;
}

/** The words of a program, without what renaming and reformatting change: names, texts, numbers, layout. */
export function tokensOf(files: readonly Pick<ArchivedFile, "path" | "bytes">[]): string[] {
  const sources = files.filter(({ path }) => /\.[cm]?[jt]sx?$/.test(path));
  return sources.flatMap(({ bytes }) =>
    [...jsTokens(bytes.toString("utf8"))].flatMap(({ type, value }) => {
      if (/^(?:WhiteSpace|LineTerminatorSequence|.*Comment|HashbangComment)$/.test(type)) return [];
      if (type === "Punctuator" || KEYWORDS.has(value)) return [value];
      return [type];
    }),
  );
}

/** What everybody was given. */
export async function givenTokens({ folder }: Kata): Promise<string[]> {
  const starter = (await listFiles(join(folder, "starter"))).map(({ path }) => `starter/${path}`);
  const read = async (path: string) => ({ path, bytes: await readFile(join(folder, path)) });
  return tokensOf(await Promise.all([...starter, "contract.ts"].map(read)));
}

/**
 * Pairs that are worth a look, the likest first.
 * @param given what doesn't count: as in {@link givenTokens}
 */
export function findLikenesses(
  submissions: ReadonlyMap<string, readonly string[]>,
  given: readonly string[],
): Likeness[] {
  const index = new FingerprintIndex(NOISE, GUARANTEED - NOISE + 1);
  // All of its runs, not only the chosen ones: in a submission another one may be chosen.
  const all = new WinnowFilter(NOISE, 1).fingerprints([...given]);
  index.addIgnoredHashes(all.map(({ hash }) => hash));
  index.addFiles([...submissions].map(([name, tokens]) => tokenized(name, tokens)));
  const entries = index.entries();
  const found = entries.flatMap((one, i) =>
    entries.slice(i + 1).flatMap((other) => {
      const shared = [...one.shared].filter((each) => other.shared.has(each)).length;
      const share = shared / Math.min(one.shared.size, other.shared.size);
      if (shared < LEAST_SHARED || share < WORTH_A_LOOK) return [];
      return [{ names: [one.file.path, other.file.path] as const, share }];
    }),
  );
  return found.sort((a, b) => b.share - a.share);
}

/** Places are asked for and not used: a token's is its number. */
function tokenized(name: string, tokens: readonly string[]): TokenizedFile {
  const places = tokens.map((_, i) => new Region(i, 0, i, 1));
  return new TokenizedFile(new File(name, ""), [...tokens], places);
}

const KEYWORDS = new Set(
  `abstract as async await break case catch class const continue default delete do else export extends
  finally for from function if implements import in instanceof interface let new null of private
  protected public readonly return static super switch this throw true false try type typeof undefined
  var void while yield`.split(/\s+/),
);
