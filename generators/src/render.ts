import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { NodePlopAPI } from "node-plop";
import { chooseEngines, type EngineChoice } from "./engines.ts";
import { templatesTooNew } from "./errors.ts";
import { type Shape, shapePackages } from "./shapes.ts";

/** A file of an exercise, in memory. */
export interface RenderedFile {
  /** Relative to the exercise's folder, with `/`. */
  readonly path: string;
  readonly content: string;
}

/** What templates may ask of {@link renderExercise}: one more with whatever only newer ones know of. */
const FORMAT = 1;

/** Folders that each hold a whole answer. */
const ANSWERS = ["src", "starter", "variants/append-only"];

export interface ExerciseInput {
  readonly name: string;
  readonly title: string;
  /** Names of the registry of `@db-katas/engines`. */
  readonly engines: readonly string[];
  /** Default: `library`. */
  readonly shape?: Shape | undefined;
  /** The frame only: no example, and thus no check yet. */
  readonly empty?: boolean | undefined;
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

/** How long clients may take to come back after a restart, where their engine says nothing, in milliseconds. */
const RECOVERY_MS = 5_000;

/**
 * Renders an exercise without touching the disk. These folders of templates make it up: `frame/` and, where
 * it is to be empty, `empty/`; else the example's: `exercise/` once, `servers/` where an engine is a server, `shapes/<shape>/exercise/` once and `…/each-answer/` for
 * reference, starter and variant, `each-engine/` once for every engine, `each-server/` for those that
 * are servers, and `engines/<engine>/` for the engines chosen. `format.json` says what they ask of us.
 * @throws GeneratorError
 */
export async function renderExercise(
  templates: string,
  input: ExerciseInput,
): Promise<RenderedFile[]> {
  await checkFormat(templates);
  const engines = await chooseEngines(templates, input.engines);
  // Only here: it brings prompts along, and every kata command would wait for them.
  const { default: nodePlop } = await import("node-plop");
  const plop = await nodePlop();
  registerHelpers(plop);
  const context = contextOf(input, engines);
  const { shape } = context;
  const render = (folder: readonly string[], more: object = {}) =>
    renderFolder(plop, join(templates, ...folder), { ...context, ...more });
  const frame = render(["frame"]);
  if (input.empty) return sorted(await Promise.all([frame, render(["empty"])]));
  const rendered = await Promise.all([
    frame,
    render(["exercise"]),
    render(["shapes", shape, "exercise"]),
    ...(context.anyRestarts ? [render(["servers"])] : []),
    ...ANSWERS.map(async (folder) => {
      const up = folder.replaceAll(/[^/]+/g, "..");
      const files = await render(["shapes", shape, "each-answer"], { up });
      return files.map(({ path, content }) => ({ path: `${folder}/${path}`, content }));
    }),
    ...context.engines.flatMap((engine) => [
      render(["each-engine"], engine),
      ...(engine.restarts ? [render(["each-server"], engine)] : []),
      render(["engines", engine.code], engine),
    ]),
  ]);
  return sorted(rendered);
}

function sorted(rendered: readonly RenderedFile[][]): RenderedFile[] {
  return rendered.flat().sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What newer templates know of, and we don't, would be left away silently. */
async function checkFormat(templates: string): Promise<void> {
  const text = await readFile(join(templates, "format.json"), "utf8").catch(() => "{}");
  const { format = FORMAT } = JSON.parse(text) as { format?: number };
  if (format > FORMAT) throw templatesTooNew();
}

/** What templates use beyond Handlebars' own. */
export function registerHelpers(plop: NodePlopAPI): void {
  plop.setHelper("string", (value: unknown) => stringLiteral(String(value)));
  plop.setHelper("property", (name: string, ...texts: unknown[]) =>
    property(name, texts.slice(0, -1).join("")),
  );
  plop.setHelper("names", (prefix: string, engines: readonly EngineChoice[], suffix: unknown) =>
    names(prefix, engines, typeof suffix === "string" ? suffix : ""),
  );
  plop.setHelper("union", (prefix: string, engines: readonly EngineChoice[]) =>
    union(prefix, engines),
  );
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

/** The formatter's longest line. */
const LINE = 100;

/** A property of an object, its string on a line of its own where there is no room for both. */
function property(name: string, text: string): string {
  const line = `  ${name}: ${stringLiteral(text)},`;
  return line.length <= LINE ? line : `  ${name}:\n    ${stringLiteral(text)},`;
}

/** A list of JSON, on one line where there is room. */
function names(prefix: string, engines: readonly EngineChoice[], suffix: string): string {
  const all = engines.map(({ name }) => JSON.stringify(name + suffix));
  const line = `${prefix}[${all.join(", ")}]`;
  // A comma may follow.
  if (line.length < LINE) return line;
  return `${prefix}[\n${all.map((each) => `    ${each}`).join(",\n")}\n  ]`;
}

/** A type of strings, on one line where there is room. */
function union(prefix: string, engines: readonly EngineChoice[]): string {
  const all = engines.map(({ name }) => JSON.stringify(name));
  const line = `${prefix} ${all.join(" | ")};`;
  return line.length <= LINE
    ? line
    : `${prefix}\n${all.map((each) => `    | ${each}`).join("\n")};`;
}

function contextOf(input: ExerciseInput, engines: readonly EngineChoice[]) {
  const shape = input.shape ?? "library";
  const packages = [shapePackages[shape], ...engines];
  const recoveryMs = Math.max(...engines.map((engine) => engine.recoveryMs ?? RECOVERY_MS));
  return {
    shape,
    several: engines.length > 1,
    library: shape === "library",
    http: shape === "http",
    websocket: shape === "websocket",
    // What checks hold in their hands: the node itself, or a client of it.
    client: shape === "library" ? "Notes" : "NotesClient",
    recoveryMs: numberLiteral(recoveryMs),
    // A check waits for two restarts, and for clients after each.
    checkMs: numberLiteral(20_000 + 2 * recoveryMs),
    name: input.name,
    title: input.title.trim(),
    date: (input.date ?? new Date()).toISOString().slice(0, 10),
    anyRestarts: engines.some((engine) => engine.restarts),
    servers: engines.filter((engine) => engine.restarts),
    engines: engines.map((engine, index) => ({
      ...engine,
      order: orderOf(2 * index + 1),
      orderKilled: orderOf(2 * index + 2),
    })),
    urls: [...new Set(engines.map(({ url }) => url))],
    dependencies: listOf(...packages.map((each) => each.dependencies)),
    devDependencies: listOf(
      Object.fromEntries(
        Object.entries(COMMON_DEV_DEPENDENCIES).map(([name, version]) => [
          name,
          input.versions?.[name] ?? version,
        ]),
      ),
      ...packages.map((each) => each.devDependencies),
    ),
  };
}

function orderOf(number: number): string {
  return String(number).padStart(2, "0");
}

/** As the style of the project has it: 20_000. */
function numberLiteral(value: number): string {
  return value.toLocaleString("en").replaceAll(",", "_");
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
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    // A shape without a server has nothing for each answer.
    (error: NodeJS.ErrnoException) => (error.code === "ENOENT" ? [] : Promise.reject(error)),
  );
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
