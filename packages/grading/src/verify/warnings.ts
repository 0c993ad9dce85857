/** What an author has left for later. It breaks nothing, and is easily forgotten. */
import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative } from "node:path";
import type { Kata } from "../kata.ts";
import type { Rubric } from "../rubric.ts";
import type { Mutant, Variant } from "./manifest.ts";
import { namesInReadme } from "./readme.ts";

/** What `kata new` leaves where only its author can say it. */
const TO_BE_WRITTEN = /\bto be\s+written\b/i;
/** Where people read. */
const TEXTS = new Set([".json", ".md", ".ts"]);
/** Parts of an exercise that somebody writes texts in. */
const PARTS = ["contract.ts", "kata.ts", "grading", "starter", "variants", "mutants"];

/** Texts that are still to be written, and variants that are the reference once more. */
export async function warningsOf(kata: Kata, variants: readonly Variant[]): Promise<string[]> {
  const entries = await readdir(kata.folder);
  const files = (
    await Promise.all(
      [...PARTS, ...entries.filter((name) => name.endsWith(".md"))].map((part) =>
        filesBelow(join(kata.folder, part)),
      ),
    )
  ).flat();
  const reference = await sourcesBelow(join(kata.folder, "src"));
  const [left, twins] = await Promise.all([
    Promise.all(files.map((file) => isLeft(file))),
    Promise.all(variants.map(({ folder }) => isSame(folder, reference))),
  ]);
  return [
    ...files
      .filter((_, i) => left[i])
      .map((file) => `${relative(kata.folder, file)} says "to be written"`),
    ...variants
      .filter((_, i) => twins[i])
      .map(({ name }) => `variant ${name} is the reference once more: it proves nothing yet`),
  ];
}

/**
 * Whether the README's kill matrix is of other checks and mutants than there are.
 * @returns what to do about it; undefined where it is right, or none was made yet
 */
export async function staleMatrix(
  kata: Kata,
  rubric: Rubric,
  mutants: readonly Mutant[],
): Promise<string | undefined> {
  const readme = await readFile(join(kata.folder, "README.md"), "utf8").catch(() => "");
  const named = namesInReadme(readme);
  if (named.checks.length === 0) return undefined;
  const news = [
    ...differences(
      "check",
      named.checks,
      rubric.map(({ id }) => id),
    ),
    ...differences(
      "mutant",
      named.mutants,
      mutants.map(({ name }) => name),
    ),
  ];
  if (news.length === 0) return undefined;
  return `the README's kill matrix is out of date (${news.join("; ")}): pnpm kata verify ${kata.name} --full --write`;
}

function differences(kind: string, named: readonly string[], there: readonly string[]): string[] {
  const added = there.filter((name) => !named.includes(name));
  const gone = named.filter((name) => !there.includes(name));
  return [
    ...(added.length > 0 ? [`without the ${kind} ${added.join(", ")}`] : []),
    ...(gone.length > 0 ? [`no ${kind} ${gone.join(", ")} any more`] : []),
    ...(added.length + gone.length === 0 && named.join() !== there.join()
      ? [`${kind}s in another order`]
      : []),
  ];
}

async function isLeft(file: string): Promise<boolean> {
  return TEXTS.has(extname(file)) && TO_BE_WRITTEN.test(await readFile(file, "utf8"));
}

async function isSame(folder: string, reference: ReadonlyMap<string, string>): Promise<boolean> {
  const sources = await sourcesBelow(folder);
  return (
    sources.size === reference.size &&
    [...sources].every(([path, source]) => source === reference.get(path))
  );
}

/** Code by its path, as if it lay as deep as the reference does. */
async function sourcesBelow(folder: string): Promise<Map<string, string>> {
  const files = (await filesBelow(folder)).filter((file) => !/variant\.json$|\.md$/.test(file));
  const sources = await Promise.all(files.map((file) => readFile(file, "utf8")));
  return new Map(
    files.map((file, i) => [
      relative(folder, file),
      (sources[i] ?? "").replaceAll(/(["'])(?:\.\.\/)+/g, "$1../"),
    ]),
  );
}

/** A file itself, or all below a folder; none where there is neither. */
async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => (error.code === "ENOTDIR" ? path : []),
  );
  if (typeof entries === "string") return [entries];
  return entries
    .filter((entry) => entry.isFile() && !entry.parentPath.includes("node_modules"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
