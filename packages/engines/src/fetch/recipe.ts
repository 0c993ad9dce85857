import type { RunContext } from "../context.ts";
import type { Found, PreparedServer, ProcessRecipe } from "../definition.ts";
import { installCommand } from "../errors.ts";
import type { Bundle, Located, Package, Way } from "./package.ts";
import { chooseBundle, locate, obtain, ownOf, programsWanted, usableWays } from "./packages.ts";

/** A recipe for a server that packages make. */
export interface PackagedRecipe<B extends Bundle> {
  readonly engine: string;
  readonly spares?: number;
  /** Any one of them will do, the best first. */
  readonly bundles: readonly B[];
  /** Asks a server that is here for its version, without starting it. Some ms. */
  version?(server: Located): Promise<string | undefined>;
  /** @param located the bundle's packages, in its order */
  prepare(
    located: readonly Located[],
    bundle: B,
    context: RunContext,
  ): Promise<Omit<PreparedServer, "source" | "version">>;
}

export function packaged<B extends Bundle>(recipe: PackagedRecipe<B>): ProcessRecipe {
  const { engine, spares, bundles } = recipe;
  return {
    ...(spares === undefined ? {} : { spares }),
    bundles,
    offer: (env) => offer(recipe, env),
    async prepare(context) {
      const bundle = chooseBundle(bundles, context.env);
      const found: Located[] = [];
      // One after another: the line is shared, and what they say stays readable.
      for (const each of bundle.packages) found.push(await obtain(context, engine, each));
      const version = found.at(-1)?.version;
      return {
        ...(await recipe.prepare(found, bundle, context)),
        ...(version === undefined ? {} : { version }),
        source: sourceOf(found),
      };
    },
  };
}

async function offer<B extends Bundle>(
  { engine, bundles, version: ask }: PackagedRecipe<B>,
  env: NodeJS.ProcessEnv,
): Promise<Found> {
  const { packages, lacks = [] } = chooseBundle(bundles, env);
  const parts: (Located | Way)[] = [];
  const fetched: Way[] = [];
  let cached = 0;
  for (const each of packages) {
    const here = locate(each, env);
    const prospect = here ?? prospectOf(engine, each, env);
    if ("reason" in prospect) return { offered: false, ...prospect };
    parts.push(prospect);
    if ("client" in prospect) fetched.push(prospect);
    else if (prospect.folder !== undefined) cached += each.ways[0]?.bytes ?? 0;
  }
  const server = parts.at(-1);
  const version =
    server?.version ?? (server && !("client" in server) ? await ask?.(server) : undefined);
  return {
    offered: true,
    source: sourceOf(parts),
    lacks,
    ...(version === undefined ? {} : { version }),
    ...(fetched.length > 0 ? { fetch: summary(fetched) } : {}),
    ...(cached > 0 ? { cached } : {}),
  };
}

function summary(ways: readonly Way[]): { what: string; bytes: number } {
  return {
    what: ways.map(({ what }) => what).join(" and "),
    bytes: ways.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** How a package that isn't here would be fetched, or why it won't be. */
export function prospectOf(
  engine: string,
  each: Package,
  env: NodeJS.ProcessEnv,
): Way | { readonly reason: string; readonly remedy: string } {
  const { name, ways, hint } = each;
  const own = ownOf(each, env);
  const named = own?.variable && env[own.variable];
  const wanted = own?.wanted ? ` ${own.wanted}` : "";
  if (named) {
    const trouble = wanted ? `is not ${own.program}${wanted}` : "can't be run";
    return { reason: `${own.variable}=${named} ${trouble}`, remedy: hint() };
  }
  const absent = own ? `no ${own.program}${wanted} on PATH` : `${name} is not here`;
  if (ways.length > 0 && env.KATA_INSTALL === "never")
    return {
      reason: `${absent}, and KATA_INSTALL=never forbids fetching it`,
      remedy: installCommand(engine),
    };
  const [way] = usableWays(each, env);
  if (way) return way;
  const clients = ways.length > 0 ? `, and nothing to fetch it with (${programsWanted(each)})` : "";
  return { reason: `${absent}${clients}`, remedy: hint() };
}

/** The server's first, which is the last of its bundle. */
function sourceOf(found: readonly { readonly source: string }[]): string {
  return found
    .map(({ source }) => source)
    .reverse()
    .join(", with ");
}
