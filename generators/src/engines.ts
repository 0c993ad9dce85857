import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadDefinitions } from "@db-katas/engines";
import { enginesEmpty, engineUnknown, engineWithoutTemplates } from "./errors.ts";

/** What `templates/engines/<engine>/part.json` says about an engine. */
export interface EnginePart {
  /** How its addresses look. */
  readonly url: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  /** For the decision log: where a note is, in the reference. */
  readonly keeps: string;
  /** For the README: something to predict before one runs anything. */
  readonly question: string;
  /** The second hint of its check. */
  readonly hint: string;
}

/** An engine as templates see it. */
export interface EngineChoice extends EnginePart {
  readonly name: string;
  readonly title: string;
  /** Whether the grader can restart it under its clients. */
  readonly restarts: boolean;
}

/** The engines that exercises can be generated for: in the registry, and with templates here. */
export async function availableEngines(
  templates: string,
): Promise<{ name: string; title: string }[]> {
  const [definitions, folders] = await Promise.all([
    loadDefinitions(),
    readdir(join(templates, "engines")),
  ]);
  return [...definitions.values()]
    .filter(({ name }) => folders.includes(name))
    .map(({ name, title }) => ({ name, title }));
}

/**
 * The engines of that name, in the registry's order and each once.
 * @throws GeneratorError `ENGINES_EMPTY`, `ENGINE_UNKNOWN`, `ENGINE_WITHOUT_TEMPLATES`
 */
export async function chooseEngines(
  templates: string,
  names: readonly string[],
): Promise<EngineChoice[]> {
  const definitions = await loadDefinitions();
  const unknown = names.find((name) => !definitions.has(name));
  const known = (await availableEngines(templates)).map(({ name }) => name);
  if (unknown !== undefined) throw engineUnknown(unknown, known);
  if (names.length === 0) throw enginesEmpty(known);
  const chosen = [...definitions.values()].filter(({ name }) => names.includes(name));
  return Promise.all(
    chosen.map(async ({ name, title, capabilities }) => ({
      ...(await readPart(join(templates, "engines", name), name)),
      name,
      title,
      restarts: capabilities.includes("restart"),
    })),
  );
}

async function readPart(folder: string, name: string): Promise<EnginePart> {
  const text = await readFile(join(folder, "part.json"), "utf8").catch(() => undefined);
  if (text === undefined) throw engineWithoutTemplates(name, folder);
  return JSON.parse(text) as EnginePart;
}
