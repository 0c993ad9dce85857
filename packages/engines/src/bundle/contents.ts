import type { EngineDefinition } from "../definition.ts";
import { bundleEmpty, bundleIncomplete } from "../errors.ts";
import type { Way } from "../fetch/package.ts";
import { chooseBundle, fetchedWay, locate } from "../fetch/packages.ts";

/** A package that a bundle holds, or can't hold because nobody fetches it. */
export type Content =
  | { readonly engine: string; readonly name: string; readonly way: Way }
  | { readonly engine: string; readonly name: string; readonly own: string };

/**
 * The packages of some engines, each once. Where the machine has a copy of its own, ours is what others
 * can use.
 * @throws EngineError `BUNDLE_INCOMPLETE`, `BUNDLE_EMPTY`
 */
export function contentsOf(
  definitions: readonly EngineDefinition[],
  env: NodeJS.ProcessEnv,
): Content[] {
  const contents: Content[] = [];
  const absent: { readonly engine: string; readonly why: string }[] = [];
  let passOver = false;
  for (const { name: engine, process: recipe } of definitions) {
    for (const each of recipe?.bundles ? chooseBundle(recipe.bundles, env).packages : []) {
      const { name, ways } = each;
      const way = fetchedWay(each, env);
      const own = locate(each, env)?.source;
      if (contents.some((known) => known.name === name)) continue;
      if (way) contents.push({ engine, name, way });
      else if (own && ways.length === 0) contents.push({ engine, name, own });
      else {
        absent.push({ engine, why: own ? `${name} is this machine's own, ${own}` : `no ${name}` });
        passOver ||= own !== undefined;
      }
    }
  }
  const engines = definitions.map(({ name }) => name);
  if (absent.length > 0) throw bundleIncomplete(absent, passOver);
  if (!contents.some((each) => "way" in each)) throw bundleEmpty(engines);
  return contents;
}
