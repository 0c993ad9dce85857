/** What engines need, as one file: for machines that can't, or shall not, fetch it themselves. */
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import tar from "tar-stream";
import type { RunContext } from "../context.ts";
import type { EngineDefinition } from "../definition.ts";
import type { SavedBundle } from "../types.ts";
import { packFolder } from "./archive.ts";
import { contentsOf } from "./contents.ts";
import { sha256Of } from "./file.ts";
import { type ManifestPackage, manifestName, manifestOf } from "./manifest.ts";

/**
 * Writes the file, complete or not at all: packages as they were fetched, and nothing that was prepared
 * here, such as clusters with their passwords.
 * @param onBytes told again and again how much has been read
 * @throws EngineError `BUNDLE_INCOMPLETE`, `BUNDLE_EMPTY`
 */
export async function saveBundle(
  file: string,
  definitions: readonly EngineDefinition[],
  context: RunContext,
  onBytes: (bytes: number) => void,
): Promise<SavedBundle> {
  const contents = contentsOf(definitions, context.env);
  const target = resolve(file);
  const draft = join(dirname(target), `.${basename(target)}.${context.id}`);
  await mkdir(draft);
  await context.watcher.ask({ op: "own", folder: draft });
  try {
    let read = 0;
    const told = (bytes: number) => {
      read += bytes;
      onBytes(read);
    };
    const packages: ManifestPackage[] = [];
    for (const each of contents)
      if ("way" in each) packages.push(await archive(each.way, draft, context, told));
    const whole = join(draft, "whole");
    await assemble(packages, draft, whole, context.ended);
    const sha256 = await sha256Of(whole);
    const { size } = await stat(whole);
    await rename(whole, target);
    return {
      file: target,
      bytes: size,
      sha256,
      packages: packages.map(({ key, what, bytes }) => ({ key, what, bytes })),
      leftOut: contents.flatMap((each) =>
        "own" in each ? [{ engine: each.engine, name: each.name, source: each.own }] : [],
      ),
    };
  } finally {
    await rm(draft, { recursive: true, force: true });
    await context.watcher.ask({ op: "release", folder: draft }).catch(() => {});
  }
}

async function archive(
  { key, what }: { readonly key: string; readonly what: string },
  draft: string,
  context: RunContext,
  onBytes: (bytes: number) => void,
): Promise<ManifestPackage> {
  const name = `${key}.tar.zst`;
  const path = join(draft, name);
  const bytes = await packFolder(join(context.cache, key), path, context.ended, onBytes);
  const { size } = await stat(path);
  return { key, what, bytes, archive: { name, bytes: size, sha256: await sha256Of(path) } };
}

/** The manifest comes first, so that whoever reads the file knows at once whether it is of use. */
async function assemble(
  packages: readonly ManifestPackage[],
  draft: string,
  whole: string,
  signal: AbortSignal,
): Promise<void> {
  const pack = tar.pack();
  const written = pipeline(pack, createWriteStream(whole), { signal });
  const mtime = new Date(0);
  const add = async () => {
    const manifest = `${JSON.stringify(manifestOf(packages), null, 2)}\n`;
    pack.entry({ name: manifestName, mtime }, manifest);
    for (const { archive } of packages) {
      const entry = pack.entry({ name: archive.name, size: archive.bytes, mtime });
      await pipeline(createReadStream(join(draft, archive.name)), entry, { signal });
    }
    pack.finalize();
  };
  await Promise.all([written, add().catch((error) => pack.destroy(error))]);
}
