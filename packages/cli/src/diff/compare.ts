/** A learner's code beside a reference. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createTwoFilesPatch } from "diff";
import { isBinary, listFiles } from "../files.ts";

export interface FileDifference {
  /** Relative to the folder with the `index.ts`. */
  readonly file: string;
  readonly where: "both" | "only yours" | "only the reference's";
  /** A unified diff from yours to the reference's; undefined for what isn't text that people write. */
  readonly patch?: string;
}

const ORDER: readonly FileDifference["where"][] = ["both", "only yours", "only the reference's"];

/** What differs: files of both, then those of one side, by name. What is the same is left out. */
export async function compareCode(
  yours: string,
  reference: string,
  only: readonly string[] | undefined,
): Promise<FileDifference[]> {
  const [mine, theirs] = await Promise.all([yours, reference].map(readAll));
  const names = [...new Set([...(mine?.keys() ?? []), ...(theirs?.keys() ?? [])])].sort();
  const wanted = only ? names.filter((name) => only.some((each) => isAt(name, each))) : names;
  const differences = wanted.flatMap(
    (file) => differenceOf(file, mine?.get(file), theirs?.get(file)) ?? [],
  );
  return differences.sort((a, b) => ORDER.indexOf(a.where) - ORDER.indexOf(b.where));
}

/** A file stands for itself, a folder for all that is in it; both may be written from the attempt's folder. */
function isAt(name: string, wanted: string): boolean {
  const path = wanted.replace(/^(?:\.\/)?(?:src\/)?/, "").replace(/\/$/, "");
  return name === path || name.startsWith(`${path}/`);
}

function differenceOf(file: string, yours?: Buffer, theirs?: Buffer): FileDifference | undefined {
  if (yours && theirs && yours.equals(theirs)) return undefined;
  const where = yours && theirs ? "both" : yours ? "only yours" : "only the reference's";
  const isShown = [yours, theirs].every((bytes) => !bytes || isWritten(bytes));
  if (!isShown) return { file, where };
  const [from, to] = [
    yours ? `yours/${file}` : "/dev/null",
    theirs ? `reference/${file}` : "/dev/null",
  ];
  const patch = createTwoFilesPatch(from, to, text(yours), text(theirs), "", "", { context: 3 });
  return { file, where, patch: patch.replace(/^=+\n/, "") };
}

/** Text, and not what a generator has put there and marked, as generators do. */
function isWritten(bytes: Buffer): boolean {
  const begin = bytes.toString("utf8", 0, 1_000);
  return !isBinary(bytes) && !(/generated/i.test(begin) && /do not (?:edit|modify)/i.test(begin));
}

function text(bytes: Buffer | undefined): string {
  return bytes?.toString("utf8").replaceAll("\r\n", "\n") ?? "";
}

async function readAll(folder: string): Promise<Map<string, Buffer>> {
  const files = (await listFiles(folder)).filter(({ kind }) => kind === "file");
  const bytes = await Promise.all(files.map(({ path }) => readFile(join(folder, path))));
  return new Map(files.map(({ path }, i) => [path, bytes[i] as Buffer]));
}
