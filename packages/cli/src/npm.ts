/** What a registry has, asked through npm: its settings and its credentials are npm's business. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { readArchive, writeFiles } from "./archive.ts";
import { CliError } from "./errors.ts";

/** Far above what an exercise has; below what would hurt. */
const PACKAGE_LIMITS = { files: 5_000, fileBytes: 16 << 20, totalBytes: 64 << 20 };

/**
 * The version that a registry means by `<name>@<version or tag>`.
 * @param root whose .npmrc holds
 * @throws CliError `PACKAGE_NOT_FOUND`
 */
export async function versionOf(spec: string, root: string): Promise<string> {
  const text = await npm(root, spec, ["view", spec, "version", "--json"]);
  // Of a range, all that are in it, the newest last.
  const found = text.trim() === "" ? [] : [JSON.parse(text) as string | string[]].flat();
  const version = found.at(-1);
  if (version === undefined) throw notFound(spec, "there is no such version");
  return version;
}

/**
 * Fetches a package's files, without what it depends on and without running anything of it.
 * @param folder is there whole or not at all; one that is there already is left as it is
 * @throws CliError `PACKAGE_NOT_FOUND`
 */
export async function fetchPackage(spec: string, root: string, folder: string): Promise<void> {
  if (await stat(folder).catch(() => undefined)) return;
  const draft = await mkdtemp(join(tmpdir(), "kata-fetch-"));
  const aside = `${folder}.${process.pid}`;
  try {
    const args = ["pack", spec, "--json", "--ignore-scripts", "--pack-destination", draft];
    const [packed] = JSON.parse(await npm(root, spec, args)) as [{ filename: string }];
    const files = await readArchive(join(draft, packed.filename), PACKAGE_LIMITS, (why) =>
      notFound(spec, why),
    );
    // All that npm packs is in a folder of this name.
    const inside = files.map((file) => ({ ...file, path: file.path.replace(/^[^/]+\//, "") }));
    await mkdir(dirname(folder), { recursive: true });
    await writeFiles(aside, inside);
    await rename(aside, folder);
  } finally {
    await rm(draft, { recursive: true, force: true });
    await rm(aside, { recursive: true, force: true });
  }
}

async function npm(cwd: string, spec: string, args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)("npm", args, { cwd, maxBuffer: 1 << 24 })).stdout;
  } catch (error) {
    const { code, stderr = "" } = error as { code?: unknown; stderr?: string };
    if (code === "ENOENT") throw notFound(spec, "npm, which asks for it, is not on PATH");
    const said = /^npm (?:error|ERR!) (?!code\b)(.+)$/m.exec(stderr)?.[1];
    throw notFound(spec, said ?? String(error));
  }
}

function notFound(spec: string, why: string): CliError {
  return new CliError("PACKAGE_NOT_FOUND", `${spec} is not to be had: ${why}.`, {
    likelyCause: "it was never published, or the registry that npm is set to can't be reached",
    remedy: `npm view ${spec} version; npm config get registry`,
  });
}
