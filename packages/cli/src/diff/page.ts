import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { html } from "diff2html";
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
  const body = html(patches, {
    outputFormat: "side-by-side",
    drawFileList: true,
    matching: "lines",
    colorScheme: ColorSchemeType.AUTO,
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<style>body { margin: 1rem; font-family: system-ui, sans-serif }</style>
<style>${await readFile(stylesheet, "utf8")}</style>
</head>
<body>
<h1>${escaped(title)}</h1>
${body}
</body>
</html>
`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
