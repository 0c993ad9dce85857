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

let definitions: Promise<ReadonlyMap<string, EngineDefinition>> | undefined;

/** Every engine that this package knows, by name. */
export function loadDefinitions(): Promise<ReadonlyMap<string, EngineDefinition>> {
  definitions ??= (async () => {
    const entries = (await readdir(here("definitions"), { withFileTypes: true })).filter((entry) =>
      entry.isDirectory(),
    );
    const loaded = await Promise.all(
      entries.map(async ({ name }) => {
        const module = (await load(here("definitions", name, `index${extension}`))) as {
          definition: EngineDefinition;
        };
        return [name, module.definition] as const;
      }),
    );
    return new Map(loaded.sort(([a], [b]) => a.localeCompare(b)));
  })();
  return definitions;
}

/** How the conformance suite uses an engine. */
export async function loadKit(name: string): Promise<Kit> {
  return ((await load(here("definitions", name, `kit${extension}`))) as { kit: Kit }).kit;
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
