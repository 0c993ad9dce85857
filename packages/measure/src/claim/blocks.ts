import { fromMarkdown } from "mdast-util-from-markdown";
import { toString as textOf } from "mdast-util-to-string";
import { visit } from "unist-util-visit";

/** A fenced block that says `claim`, wherever it stands: also in a list or a quotation. */
export interface Block {
  /** What is between the fences. */
  readonly text: string;
  readonly entry: string;
  /** Of the opening fence, counted from 1. */
  readonly line: number;
  /** How many lines of text there are. */
  readonly lines: number;
  /** What stands before each line of text in the log: `> ` in a quotation. */
  readonly prefixes: readonly string[];
}

export function findBlocks(markdown: string): readonly Block[] {
  const lines = markdown.split("\n");
  const blocks: Block[] = [];
  let entry = "";
  visit(fromMarkdown(markdown), (node) => {
    if (node.type === "heading") entry = textOf(node);
    if (node.type !== "code" || node.lang !== "claim" || !node.position) return;
    const { line } = node.position.start;
    const texts = node.value === "" ? [] : node.value.split(/\r?\n/);
    const prefixes = texts.map((text, index) => {
      const whole = (lines[line + index] ?? "").replace(/\r$/, "");
      return whole.slice(0, whole.length - text.length);
    });
    blocks.push({ text: texts.join("\n"), entry, line, lines: texts.length, prefixes });
  });
  return blocks;
}

/** Replaces the text of blocks, and touches nothing else. */
export function replaceBlocks(
  markdown: string,
  replace: (block: Block) => string | undefined,
): string {
  const lines = markdown.split("\n");
  // From the end, so that lines further up keep their numbers.
  for (const block of findBlocks(markdown).toReversed()) {
    const text = replace(block);
    if (text === undefined || text === block.text) continue;
    const ending = lines[block.line - 1]?.endsWith("\r") ? "\r" : "";
    const fresh = text
      .split("\n")
      .map(
        (each, index) => `${block.prefixes[index] ?? block.prefixes.at(-1) ?? ""}${each}${ending}`,
      );
    lines.splice(block.line, block.lines, ...fresh);
  }
  return lines.join("\n");
}
