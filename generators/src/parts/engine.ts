import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { pathTaken } from "../errors.ts";
import { checkName, checkTitle } from "../names.ts";
import { stringLiteral } from "../render.ts";
import { requireClone } from "./clone.ts";
import { type Part, said } from "./part.ts";

const DEFINITIONS = "packages/engines/src/definitions";
const MODEL = "packages/engines/test/definitions/shelf";

/** An engine begins as the one that the engines' own tests put through the conformance suite. */
export const engine: Part = {
  name: "engine",
  description: "an engine that conforms: the four files to replace, one at a time",
  questions: [
    {
      name: "name",
      positional: true,
      required: true,
      message: "Its name (for example cockroach):",
      help: "lower-case letters and digits: its folder, and what exercises call it",
      check: (value) => checkName(value, "engine"),
    },
    {
      name: "title",
      value: "text",
      message: "Its name for people:",
      help: "its name for people; default: made from the name",
      check: (value) => checkTitle(value, "engine"),
    },
    {
      name: "licence",
      value: "spdx",
      message: "Its licence:",
      help: "an SPDX identifier; default: UNKNOWN",
    },
  ],
  async plan(root, answers) {
    await requireClone(root, "an engine");
    const name = said(answers, "name");
    checkName(name, "engine");
    const folder = `${DEFINITIONS}/${name}`;
    if (await stat(join(root, folder)).catch(() => undefined)) throw pathTaken(folder);
    const title = said(answers, "title") || name.charAt(0).toUpperCase() + name.slice(1);
    checkTitle(title, "engine");
    const licence = said(answers, "licence") || "UNKNOWN";
    const files = (await readdir(join(root, MODEL))).sort();
    return {
      changes: await Promise.all(
        files.map(async (file) => ({
          path: `${folder}/${file}`,
          content: renamed(await readFile(join(root, MODEL, file), "utf8"), {
            name,
            title,
            licence,
          }),
        })),
      ),
      next: [
        `${folder}/process.ts: the packages of the real server, and how one is started`,
        `${folder}/namespaces.ts: how the real server is dealt out`,
        `${folder}/kit.ts: how a client writes a value and reads it`,
        `${folder}/index.ts: licence, capabilities, and when it is ready`,
        `pnpm exec vitest run --project @db-katas/engines packages/engines/test/conformance -t ${name}`,
        `pnpm --filter @db-katas/engines bench:engines ${name}; pnpm --filter @db-katas/engines table`,
      ],
    };
  },
};

interface Naming {
  readonly name: string;
  readonly title: string;
  readonly licence: string;
}

/** What it keeps strings on stays a shelf until its maker says what it really is. */
function renamed(source: string, { name, title, licence }: Naming): string {
  return source
    .replace(
      "Keeps strings on shelves:",
      `${title}, with a stand-in that keeps strings on shelves:`,
    )
    .replaceAll('"../../../src/', '"../../')
    .replace(/\b(name|engine): "shelf"/, (_, key) => `${key}: ${stringLiteral(name)}`)
    .replace('title: "Shelf"', () => `title: ${stringLiteral(title)}`)
    .replace(
      'licence: "MIT",\n  capabilities',
      `licence: ${stringLiteral(licence)},\n  capabilities`,
    );
}
