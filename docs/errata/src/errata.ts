/** Reads the errata: each is a heading, a block that a program can read, and what holds. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fromMarkdown } from "mdast-util-from-markdown";
import { parse } from "yaml";
import { z } from "zod";

const id = z.string().regex(/^[a-z][a-z0-9-]*$/);
const line = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\n]*$/, "one line");

const evidence = z.union([
  z.strictObject({
    /** A check of an exercise, which fails who does as the guide says: that mutant. */
    check: id,
    mutant: id,
    kata: id,
  }),
  /** A claim of an exercise's decision log: `pnpm kata falsify <kata> --claim <claim>`. */
  z.strictObject({ claim: id, kata: id }),
  /** A test of `test/`, on a real engine where its file's name says which. */
  z.strictObject({ test: line, file: z.string().regex(/^[\w-]+\.test\.ts$/) }),
  /** What somebody who must know says. */
  z.strictObject({ citation: z.url({ protocol: /^https$/ }), tells: line, read: z.iso.date() }),
]);

const header = z.strictObject({
  id,
  /** Of the guide, as its table of contents has it. */
  section: line,
  /** What the guide says, in its own words. */
  says: line,
  /** `misread`: right, and often taken for more than it says. */
  is: z.enum(["wrong", "doubtful", "misread"]),
  evidence: z.array(evidence).min(1),
});

export type Evidence = z.infer<typeof evidence>;

export interface Erratum extends z.infer<typeof header> {
  readonly title: string;
  /** The Markdown file, and the line of its block. */
  readonly place: string;
}

/** @param folder of the errata @throws for a block that can't be read, with its place */
export function readErrata(folder: string): readonly Erratum[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".md"))
    .flatMap((file) => parseErrata(file, readFileSync(join(folder, file), "utf8")));
}

function parseErrata(file: string, markdown: string): Erratum[] {
  const errata: Erratum[] = [];
  let title = "";
  for (const node of fromMarkdown(markdown).children) {
    if (node.type === "heading") title = textOf(node.children);
    if (node.type !== "code" || node.lang !== "erratum") continue;
    const place = `${file}:${node.position?.start.line ?? 0}`;
    const parsed = header.safeParse(parse(node.value));
    if (!parsed.success) throw new Error(`${place}: ${z.prettifyError(parsed.error)}`);
    errata.push({ title, place, ...parsed.data });
  }
  return errata;
}

function textOf(nodes: readonly { readonly type: string }[]): string {
  return nodes.map((node) => ("value" in node ? String(node.value) : "")).join("");
}
