import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { html, htmlPage, Markup } from "@db-katas/grading";
import { html as diffHtml } from "diff2html";
import { ColorSchemeType } from "diff2html/lib/types.js";
import type { FileDifference } from "./compare.ts";

/** A page with both sides beside each other: one file without scripts that needs no network. */
export async function diffPage(
  title: string,
  differences: readonly FileDifference[],
): Promise<string> {
  const stylesheet = createRequire(import.meta.url).resolve(
    "diff2html/bundles/css/diff2html.min.css",
  );
  const patches = differences.flatMap(({ patch }) => patch ?? []).join("\n");
  const difference = diffHtml(patches, {
    outputFormat: "side-by-side",
    drawFileList: true,
    matching: "lines",
    colorScheme: ColorSchemeType.AUTO,
  });
  return htmlPage({
    title,
    style: `:root { color-scheme: light dark }
body { margin: 1rem; font-family: system-ui, sans-serif }
${await readFile(stylesheet, "utf8")}`,
    body: html`
<h1>${title}</h1>
${new Markup(difference)}
`,
  });
}
