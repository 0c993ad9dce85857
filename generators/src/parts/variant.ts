import { readFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { pathTaken } from "../errors.ts";
import { checkName } from "../names.ts";
import { type Authored, filesBelow, pathIn, readAuthored, whichKata } from "./authored.ts";
import { formatJson } from "./json.ts";
import { type Part, said } from "./part.ts";

/** A variant begins as the reference, which all checks pass. */
export const variant: Part = {
  name: "variant",
  description: "a right answer of another kind, which all checks must pass",
  questions: [
    whichKata,
    {
      name: "name",
      positional: true,
      required: true,
      message: "What is it called (for example append-only)?",
      help: "lower-case words with dashes: its folder in variants/",
      check: (value) => checkName(value, "variant"),
    },
    {
      name: "differs",
      value: "text",
      message: "What does it do differently?",
      help: "what it does differently; to be written where it is left away",
    },
    {
      name: "why",
      value: "text",
      message: "Why is it right all the same?",
      help: "why it is right all the same; to be written where it is left away",
    },
  ],
  async plan(root, answers) {
    const kata = await readAuthored(root, said(answers, "kata"));
    const name = said(answers, "name");
    checkName(name, "variant");
    const folder = pathIn(kata, "variants", name);
    if (kata.variants.includes(name)) throw pathTaken(folder);
    const manifest = {
      differs:
        said(answers, "differs") || "To be written: what it does that the reference doesn't.",
      why: said(answers, "why") || "To be written: why it is right all the same.",
    };
    return {
      changes: [
        ...(await copyReference(kata, name)),
        { path: `${folder}/variant.json`, content: formatJson(manifest) },
      ],
      next: [
        `${folder}/: it is the reference; make it right in another way, and leave away what it doesn't need`,
        `pnpm kata verify ${kata.name} --only reference ${name}`,
      ],
    };
  },
};

async function copyReference(kata: Authored, name: string) {
  const from = join(kata.folder, "src");
  const files = (await filesBelow(from)).filter((file) => !file.endsWith(".md"));
  return Promise.all(
    files.map(async (file) => {
      const content = await readFile(join(from, file), "utf8");
      return {
        path: pathIn(kata, "variants", name, file),
        content: /\.[cm]?[jt]s$/.test(file) ? oneDeeper(content, file) : content,
      };
    }),
  );
}

const IMPORT = /(\b(?:from|import)\s*\(?\s*|new URL\(\s*)(["'])(\.\.?\/[^"'\n]*)\2/g;

/** Files that lie beside `src/` are one folder further away for a variant. */
function oneDeeper(source: string, file: string): string {
  return source.replace(IMPORT, (text, before: string, quote: string, path: string) => {
    const target = posix.join(dirname(file), path);
    return target.startsWith("..") ? `${before}${quote}../${path}${quote}` : text;
  });
}
