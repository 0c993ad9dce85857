/** What `kata engines install` asks for: the packages of one engine, whatever `KATA_INSTALL` says. */
import type { RunContext } from "../context.ts";
import type { EngineDefinition } from "../definition.ts";
import type { PackageState } from "../types.ts";
import type { Package } from "./package.ts";
import { arrivedOf, chooseBundle, locate, obtain } from "./packages.ts";
import { prospectOf } from "./recipe.ts";

const measureEveryMs = 150;

/** Empty for an engine of which nothing is ever fetched. */
export function packageStates(
  definition: EngineDefinition,
  env: NodeJS.ProcessEnv,
): PackageState[] {
  return packagesOf(definition, env).map((each) => stateOf(definition.name, each, env));
}

/**
 * Fetches one of an engine's packages.
 * @param onBytes told a few times a second how much has arrived, what an interruption left included
 * @throws EngineError `FETCH_FAILED`
 */
export async function installPackage(
  definition: EngineDefinition,
  name: string,
  context: RunContext,
  onBytes: (bytes: number) => void,
): Promise<PackageState> {
  const wanted = packagesOf(definition, context.env).find((each) => each.name === name);
  if (!wanted) throw new Error(`${definition.name} needs no package ${name}`);
  let most = 0;
  let measuring = false;
  const timer = setInterval(async () => {
    // One at a time: there may be many files.
    if (measuring) return;
    measuring = true;
    const sizes = await Promise.all(wanted.ways.map((way) => arrivedOf(way, context.cache)));
    measuring = false;
    // Once the package is complete its downloads go.
    most = Math.max(
      most,
      sizes.reduce((sum, size) => sum + size, 0),
    );
    onBytes(most);
  }, measureEveryMs);
  try {
    await obtain(context, definition.name, wanted);
  } finally {
    clearInterval(timer);
  }
  return stateOf(definition.name, wanted, context.env);
}

function packagesOf({ process }: EngineDefinition, env: NodeJS.ProcessEnv): readonly Package[] {
  return process?.bundles ? chooseBundle(process.bundles, env).packages : [];
}

function stateOf(engine: string, each: Package, env: NodeJS.ProcessEnv): PackageState {
  const { name, licence } = each;
  const here = locate(each, env);
  if (here) return { name, licence, state: "here", source: here.source };
  const prospect = prospectOf(engine, each, { ...env, KATA_INSTALL: "" });
  return "reason" in prospect
    ? { name, licence, state: "unavailable", ...prospect }
    : { name, licence, state: "absent", what: prospect.what, bytes: prospect.bytes };
}
