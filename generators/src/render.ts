import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { NodePlopAPI } from "node-plop";
import { chooseEngines, type EngineChoice } from "./engines.ts";

/** A file of an exercise, in memory. */
export interface RenderedFile {
  /** Relative to the exercise's folder, with `/`. */
  readonly path: string;
  readonly content: string;
}

export interface ExerciseInput {
  readonly name: string;
  readonly title: string;
  /** Names of the registry of `@db-katas/engines`. */
  readonly engines: readonly string[];
  /** The date of the decision log's entry; default: today. */
  readonly date?: Date | undefined;
  /** What the workspace asks for, which its exercises then ask for as well. */
  readonly versions?: Readonly<Record<string, string>> | undefined;
}

/** What every exercise needs, whatever its engines, where the workspace does not say which version. */
const COMMON_DEV_DEPENDENCIES = {
  "@db-katas/cli": "workspace:*",
  "@db-katas/engines": "workspace:*",
  "@db-katas/grading": "workspace:*",
  "@types/node": "24.19.2",
  typescript: "catalog:",
};

/**
 * Renders an exercise without touching the disk. Three folders of templates make it up: `exercise/`
 * once, `each-engine/` once for every engine, and `engines/<engine>/` for the engines chosen.
 */
export async function renderExercise(
  templates: string,
  input: ExerciseInput,
): Promise<RenderedFile[]> {
  const engines = await chooseEngines(templates, input.engines);
  // Only here: it brings prompts along, and every kata command would wait for them.
  const { default: nodePlop } = await import("node-plop");
  const plop = await nodePlop();
  registerHelpers(plop);
  const context = contextOf(input, engines);
  const rendered = [
    await renderFolder(plop, join(templates, "exercise"), context),
    ...(await Promise.all(
      context.engines.flatMap((engine) => [
        renderFolder(plop, join(templates, "each-engine"), { ...context, ...engine }),
        renderFolder(plop, join(templates, "engines", engine.name), { ...context, ...engine }),
      ]),
    )),
  ];
  return rendered.flat().sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What templates use beyond Handlebars' own. */
export function registerHelpers(plop: NodePlopAPI): void {
  plop.setHelper("string", (value: unknown) => stringLiteral(String(value)));
  plop.setHelper("markdown", (value: unknown) => String(value).replaceAll(/[\\`*_[<]/g, "\\$&"));
}

/** A TypeScript string as the formatter would write it: the quotes that need fewer escapes. */
export function stringLiteral(text: string): string {
  const double = JSON.stringify(text);
  const count = (quote: string) => text.split(quote).length - 1;
  if (count('"') <= count("'")) return double;
  const inner = double.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inner}'`;
}

function contextOf(input: ExerciseInput, engines: readonly EngineChoice[]) {
  return {
    name: input.name,
    title: input.title.trim(),
    date: (input.date ?? new Date()).toISOString().slice(0, 10),
    anyRestarts: engines.some((engine) => engine.restarts),
    engines: engines.map((engine, index) => ({
      ...engine,
      order: String(index + 1).padStart(2, "0"),
    })),
    dependencies: listOf(...engines.map((engine) => engine.dependencies)),
    devDependencies: listOf(
      Object.fromEntries(
        Object.entries(COMMON_DEV_DEPENDENCIES).map(([name, version]) => [
          name,
          input.versions?.[name] ?? version,
        ]),
      ),
      ...engines.map((engine) => engine.devDependencies),
    ),
  };
}

function listOf(...records: Readonly<Record<string, string>>[]) {
  return Object.entries(Object.assign({}, ...records) as Record<string, string>)
    .map(([name, version]) => ({ package: name, version }))
    .sort((a, b) => (a.package < b.package ? -1 : 1));
}

/** Names of files are templates too. */
async function renderFolder(
  plop: NodePlopAPI,
  folder: string,
  context: object,
): Promise<RenderedFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith(".hbs"));
  return Promise.all(
    files.map(async (file) => {
      const source = join(file.parentPath, file.name);
      const path = relative(folder, source).slice(0, -".hbs".length).split(sep).join("/");
      const template = (await readFile(source, "utf8")).replaceAll("\r\n", "\n");
      return {
        path: plop.renderString(path, context),
        content: plop.renderString(template, context),
      };
    }),
  );
}
