import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Change } from "../changes.ts";
import { faultUnknown, pathTaken, recipeUnreadable } from "../errors.ts";
import { checkFaultName, checkTitle } from "../names.ts";
import { stringLiteral } from "../render.ts";
import { asChoice, filesBelow } from "./authored.ts";
import { requireClone } from "./clone.ts";
import { type Part, said } from "./part.ts";

const FAULTS = "packages/engines/src/faults";
const SCENARIOS = "packages/engines/src/conformance/faults.ts";
const MODEL = "restart";

/** A fault begins as one that is proven, with the scenario that proves it. */
export const fault: Part = {
  name: "fault",
  description: "a fault, and the scenario that proves it",
  questions: [
    {
      name: "name",
      positional: true,
      required: true,
      message: "Its name (for example slowDisk):",
      help: "a word in camelCase: its file, its export, and what checks import",
      check: checkFaultName,
    },
    {
      name: "summary",
      value: "text",
      message: "What would one see in production?",
      help: "what one would see in production; default: that of the fault it begins as",
      check: (value) => checkTitle(value, "fault", 120),
    },
    {
      name: "like",
      value: "name",
      message: "Which fault is most like it?",
      help: `the fault that it begins as; default: ${MODEL}`,
      choices: async (root) => (await faultsIn(root)).map(asChoice),
    },
  ],
  async plan(root, answers) {
    await requireClone(root, "a fault");
    const name = said(answers, "name");
    checkFaultName(name);
    const known = await faultsIn(root);
    if (known.includes(name)) throw pathTaken(`${FAULTS}/${name}.ts`);
    const like = said(answers, "like") || MODEL;
    if (!known.includes(like)) throw faultUnknown(like, known);
    const summary = said(answers, "summary");
    if (summary) checkTitle(summary, "fault", 120);
    const source = await readFile(join(root, FAULTS, `${like}.ts`), "utf8");
    const called = rename(source, like, name).replace(`name: "${like}"`, `name: "${name}"`);
    const content = summary
      ? called.replace(/summary:\s*(["']).*\1,/, () => `summary: ${stringLiteral(summary)},`)
      : called;
    return {
      changes: [
        { path: `${FAULTS}/${name}.ts`, content },
        withScenario(await readFile(join(root, SCENARIOS), "utf8"), like, name),
      ],
      next: [
        `${FAULTS}/${name}.ts: what it does to the server or to the network, and what heals it`,
        `its capability, if it needs one of its own: packages/engines/src/types.ts, and the engines that have it`,
        `${SCENARIOS}: what must be seen while it lasts, and after`,
        "docs/authors-guide.md: its line in the table of faults",
        "pnpm exec vitest run --project @db-katas/engines packages/engines/test/conformance -t redis",
      ],
    };
  },
};

async function faultsIn(root: string): Promise<string[]> {
  const files = await filesBelow(join(root, FAULTS)).catch(() => []);
  return files.map((file) => file.replace(/\.ts$/, ""));
}

function rename(source: string, from: string, to: string): string {
  return source.replaceAll(new RegExp(String.raw`(?<![".\w])${from}\b(?!")`, "g"), to);
}

/** @throws GeneratorError `RECIPE_UNREADABLE` */
function withScenario(before: string, like: string, name: string): Change {
  const imported = `import { ${like} } from "../faults/${like}.ts";\n`;
  const own = `import { ${name} } from "../faults/${name}.ts";\n`;
  const imports: readonly string[] =
    before.match(/^import \{ \w+ \} from "\.\.\/faults\/.*\n/gm) ?? [];
  const entry: string | undefined =
    new RegExp(String.raw`^  ${like}: .*,\n`, "m").exec(before)?.[0] ??
    new RegExp(String.raw`^  async ${like}\([\s\S]*?\n  \},\n`, "m").exec(before)?.[0];
  if (entry === undefined || !imports.includes(imported)) {
    throw recipeUnreadable(SCENARIOS, like);
  }
  const isBlock = entry.includes("{\n");
  const next = imports.find((each) => each.localeCompare(own) > 0);
  const last = imports.at(-1) ?? imported;
  const content = before
    .replace(next ?? last, (line) => (next ? `${own}${line}` : `${line}${own}`))
    .replace(entry, () => [entry, rename(entry, like, name)].join(isBlock ? "\n" : ""));
  return { path: SCENARIOS, before, content };
}
