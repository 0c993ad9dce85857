/** A Markdown file that a program and a person write together. */
import { stripVTControlCharacters } from "node:util";
import { asTypedHere } from "../typed.ts";
import type { Item } from "./items.ts";

/** What the program writes stands between two of these; everything else is the person's. */
const mark = (edge: "begin" | "end", key: string) => `<!-- kata:${edge} ${key} -->`;

const SUMMARY = "summary";

export interface Merged {
  readonly text: string;
  /** Keys of items that were not there before. */
  readonly added: readonly string[];
}

/**
 * Brings what stands between marks up to date, adds what is new at the end, and leaves every other
 * character as it is. What is between marks that somebody took away or half away is left alone too.
 * @param before undefined: there is no such file yet
 */
export function merged(
  before: string | undefined,
  kata: string,
  summary: string,
  items: readonly Item[],
): Merged {
  const blocks = new Map([
    [SUMMARY, summary],
    ...items.map((item) => [item.key, factsOf(item)] as const),
  ]);
  let text = before ?? headOf(kata);
  const added: string[] = [];
  for (const [key, block] of blocks) {
    const place = placeOf(text, key);
    if (place) text = `${text.slice(0, place.from)}\n${block}\n${text.slice(place.to)}`;
    const item = items.find((each) => each.key === key);
    if (!item || text.includes(mark("begin", key))) continue;
    text = `${text.trimEnd()}\n\n${sectionOf(item)}`;
    added.push(key);
  }
  return { text, added };
}

function placeOf(text: string, key: string): { from: number; to: number } | undefined {
  const begin = text.indexOf(mark("begin", key));
  const from = begin + mark("begin", key).length;
  const to = text.indexOf(mark("end", key), from);
  if (begin < 0 || to < 0) return undefined;
  // Its end is gone, and the next one's was found.
  if (/<!-- kata:(begin|end) /.test(text.slice(from, to))) return undefined;
  return { from, to };
}

function headOf(kata: string): string {
  return [
    `# What I got wrong, and why: ${kata}`,
    "",
    asTypedHere(
      `Between the marks stand facts, which \`pnpm kata retro ${kata}\` brings up to date. The rest is mine.`,
    ),
    "",
    mark("begin", SUMMARY),
    mark("end", SUMMARY),
    "",
  ].join("\n");
}

function sectionOf(item: Item): string {
  return [
    `## ${plain(item.title)}`,
    "",
    mark("begin", item.key),
    factsOf(item),
    mark("end", item.key),
    "",
    "**What I believed, and why:**",
    "",
    "**What would have told me earlier:**",
    "",
  ].join("\n");
}

function factsOf({ facts, saw }: Item): string {
  return [
    ...facts.map((fact) => `- ${fact}`),
    ...saw.map((text) => `\n${fenced(plain(text))}`),
  ].join("\n");
}

/** The fence is longer than any within. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}

/** Whatever a submission printed: no control sequences, and nothing that looks like one of our marks. */
function plain(text: string): string {
  return stripVTControlCharacters(text).replaceAll("<!--", "<! --");
}
