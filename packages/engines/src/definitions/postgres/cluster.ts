import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chown, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { materialise } from "../../cache.ts";
import { type RunContext, runTool } from "../../context.ts";
import type { PreparedServer } from "../../definition.ts";
import { cacheCorrupt, startFailed } from "../../errors.ts";
import { adminName, settings } from "./settings.ts";

/** A PostgreSQL that is on this machine. */
export interface Installation {
  /** For names in our cache; another build has another. */
  readonly key: string;
  /** The folder of its programs. */
  readonly bin: string;
  /** Where they find libraries, besides the usual places: an `LD_LIBRARY_PATH`. */
  readonly libraries?: string | undefined;
  /** What it knows, and another version may not. */
  readonly settings: Readonly<Record<string, string>>;
}

const initdbArguments = [
  "--auth=scram-sha-256",
  "--encoding=UTF8",
  "--locale=C",
  "--wal-segsize=1",
  "--no-sync",
  "--no-instructions",
];

/** On this machine. */
const hereSettings: Readonly<Record<string, string>> = {
  ...settings,
  // With the port that a connection comes from.
  log_line_prefix: "%m [%p] %r ",
  // In its data folder, so that a killed server's go with that; POSIX segments would stay for good.
  ...(process.platform === "win32" ? {} : { dynamic_shared_memory_type: "mmap" }),
};

/** @param further settings by name, for this server alone */
export async function serverOf(
  installation: Installation,
  context: RunContext,
  further: Readonly<Record<string, string>> = {},
): Promise<Omit<PreparedServer, "source" | "version">> {
  const file = join(installation.bin, "postgres");
  if (!existsSync(file)) throw cacheCorrupt(context.cache, `${file} is missing`);
  const cluster = await initialCluster(installation, context);
  const adminPassword = (await readFile(join(cluster, "password"), "utf8")).trim();
  const set = Object.entries(further).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  return {
    seed: join(cluster, "data"),
    stopSignal: "SIGINT", // "fast": disconnects clients instead of waiting for them
    adminUrl: (port) => `postgres://${adminName}:${adminPassword}@127.0.0.1:${port}/postgres`,
    launch: async (data, port) => ({
      file,
      args: ["-D", data, "-p", String(port), ...set],
      env: environment(installation),
      // It goes into its data folder itself; before 16 it asks first where it is, and none can tell on a small disk.
      cwd: installation.bin,
    }),
  };
}

/** A cluster fresh from initdb, which every server starts as a copy of: copying takes a tenth of the time. */
async function initialCluster(installation: Installation, context: RunContext): Promise<string> {
  const { uid, gid } = context.user;
  const all = { ...hereSettings, ...installation.settings };
  const digest = createHash("sha256")
    .update(JSON.stringify([all, initdbArguments]))
    .digest("hex")
    .slice(0, 8);
  const name = `${installation.key}-cluster-${digest}-${uid ?? process.getuid?.() ?? "user"}`;
  const cluster = await materialise(context, name, async (folder) => {
    const data = join(folder, "data");
    const passwordFile = join(folder, "password");
    await mkdir(data, { mode: 0o700 });
    await writeFile(passwordFile, randomBytes(16).toString("hex"), { mode: 0o600 });
    if (uid !== undefined && gid !== undefined) {
      for (const path of [data, passwordFile]) await chown(path, uid, gid);
    }
    const { ok, output } = await runTool(context, {
      file: join(installation.bin, "initdb"),
      args: [
        `--pgdata=${data}`,
        `--username=${adminName}`,
        `--pwfile=${passwordFile}`,
        ...initdbArguments,
      ],
      env: environment(installation),
      cwd: folder,
      ...(uid === undefined || gid === undefined ? {} : { uid, gid }),
    });
    if (!ok) throw startFailed("postgres", installation.bin, "initdb failed", output);
    const lines = Object.entries(all).map(([key, value]) => `${key} = '${value}'`);
    await writeFile(join(data, "postgresql.auto.conf"), `${lines.join("\n")}\n`);
  });
  if (!existsSync(join(cluster, "data", "PG_VERSION")))
    throw cacheCorrupt(context.cache, `${cluster} is incomplete`);
  return cluster;
}

function environment({ libraries }: Installation): Record<string, string> {
  return {
    PATH: process.env.PATH ?? "",
    LC_ALL: "C",
    TZ: "UTC",
    ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries }),
  };
}
