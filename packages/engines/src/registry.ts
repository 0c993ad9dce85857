/** What there is, read from the folders: a new engine or fault is a new file and nothing else. */
import { readdir } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Kit } from "./conformance/kit.ts";
import type { EngineDefinition } from "./definition.ts";
import type { Fault } from "./types.ts";

const extension = extname(import.meta.filename);
const here = (...path: string[]) => join(import.meta.dirname, ...path);
const load = (path: string): Promise<unknown> => import(pathToFileURL(path).href);

const own = here("definitions");
const folders = new Map<string, Promise<(readonly [string, EngineDefinition])[]>>();

/**
 * Every engine that this package knows, by name.
 * @param more a folder of further definitions, laid out as `definitions/` is
 */
export async function loadDefinitions(
  more?: string,
): Promise<ReadonlyMap<string, EngineDefinition>> {
  const found = await Promise.all([own, ...(more === undefined ? [] : [more])].map(definitionsIn));
  return new Map(found.flat().sort(([a], [b]) => a.localeCompare(b)));
}

function definitionsIn(folder: string): Promise<(readonly [string, EngineDefinition])[]> {
  let definitions = folders.get(folder);
  if (!definitions) {
    definitions = (async () => {
      const entries = await readdir(folder, { withFileTypes: true });
      const engines = entries.filter((entry) => entry.isDirectory());
      return Promise.all(
        engines.map(async ({ name }) => {
          const module = (await load(join(folder, name, `index${extension}`))) as {
            definition: EngineDefinition;
          };
          return [name, module.definition] as const;
        }),
      );
    })();
    folders.set(folder, definitions);
  }
  return definitions;
}

/**
 * How the conformance suite uses an engine.
 * @param folder of its definition's folder
 */
export async function loadKit(name: string, folder = own): Promise<Kit> {
  return ((await load(join(folder, name, `kit${extension}`))) as { kit: Kit }).kit;
}

/** A fault whose options are not known to the compiler. */
export type AnyFault = Fault<never>;

/** Every fault that this package knows, by name. */
export async function loadFaults(): Promise<ReadonlyMap<string, AnyFault>> {
  const files = (await readdir(here("faults")))
    .filter((file) => extname(file) === extension && !file.endsWith(".d.ts"))
    .sort();
  const loaded = await Promise.all(
    files.map(async (file) => {
      const name = basename(file, extension);
      const fault = ((await load(here("faults", file))) as Record<string, AnyFault>)[name];
      if (!fault) throw new Error(`faults/${file} exports no ${name}`);
      return [name, fault] as const;
    }),
  );
  return new Map(loaded);
}
