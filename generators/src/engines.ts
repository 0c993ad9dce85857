import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadDefinitions } from "@db-katas/engines";
import { enginesEmpty, engineUnknown, engineWithoutTemplates } from "./errors.ts";

/** What `templates/engines/<engine>/part.json` says about an engine that exercises are made for. */
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
  /** How long clients of it may take to come back after a restart, in milliseconds. Default 5 s. */
  readonly recoveryMs?: number;
}

/** A part as it is written: what is like another engine's is said there. */
type PartFile =
  | (Partial<EnginePart> & {
      /** The engine whose client, and thus whose code, it shares. */
      readonly like?: string;
      readonly without?: undefined;
    })
  /** Why exercises can't be made for it, and what to do instead. */
  | { readonly without: string; readonly like?: undefined };

/** An engine as templates see it. */
export interface EngineChoice extends EnginePart {
  readonly name: string;
  readonly title: string;
  /** The folder of `templates/engines/` that has its code. */
  readonly code: string;
  /** Whether it is a server, which the grader can restart and kill under its clients. */
  readonly restarts: boolean;
}

/** The engines that exercises can be generated for: in the registry, and with templates here. */
export async function availableEngines(
  templates: string,
): Promise<{ name: string; title: string }[]> {
  const definitions = [...(await loadDefinitions()).values()];
  const parts = await Promise.all(definitions.map(({ name }) => readPart(templates, name)));
  return definitions
    .filter((_, i) => parts[i] && parts[i].without === undefined)
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
      ...(await wholePart(templates, name)),
      name,
      title,
      restarts: capabilities.includes("restart"),
    })),
  );
}

async function wholePart(
  templates: string,
  name: string,
): Promise<EnginePart & { readonly code: string }> {
  const part = await readPart(templates, name);
  if (part === undefined || part.without !== undefined) {
    throw engineWithoutTemplates(name, join(templates, "engines", name), part?.without);
  }
  const { like, ...own } = part;
  // What is not said twice is said by whom it is like: the two make a whole one.
  return {
    ...(like && (await readPart(templates, like))),
    ...own,
    code: like ?? name,
  } as EnginePart & {
    code: string;
  };
}

async function readPart(templates: string, name: string): Promise<PartFile | undefined> {
  const file = join(templates, "engines", name, "part.json");
  const text = await readFile(file, "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as PartFile);
}
