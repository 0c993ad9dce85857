import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import tar from "tar-stream";
import { materialise } from "../cache.ts";
import type { RunContext } from "../context.ts";
import type { EngineDefinition } from "../definition.ts";
import { bundleForeign, bundleInvalid, cacheFull, EngineError } from "../errors.ts";
import type { Way } from "../fetch/package.ts";
import { proveAt } from "../fetch/packages.ts";
import type { LoadedPackage } from "../types.ts";
import { unpackFolder } from "./archive.ts";
import { assertFile } from "./file.ts";
import { type Manifest, type ManifestPackage, manifestName, parseManifest } from "./manifest.ts";

/**
 * Takes over the packages of a bundle that the cache lacks. Only folders that a definition names are
 * ever written, each complete or not at all.
 * @throws EngineError `BUNDLE_MISSING`, `BUNDLE_INVALID`, `BUNDLE_FOREIGN`, `BUNDLE_UNSAFE`
 */
export async function loadBundle(
  file: string,
  definitions: readonly EngineDefinition[],
  context: RunContext,
  onPackage: (loaded: LoadedPackage) => void,
): Promise<void> {
  await assertFile(file);
  const known = knownWays(definitions);
  const extract = tar.extract();
  const read = pipeline(createReadStream(file), extract, { signal: context.ended });
  // What the loop throws says more.
  read.catch(() => {});
  let manifest: Manifest | undefined;
  let next = 0;
  try {
    for await (const entry of extract) {
      if (!manifest) {
        if (entry.header.name !== manifestName) throw bundleInvalid(file, `no ${manifestName}`);
        manifest = parseManifest(file, await text(entry));
        continue;
      }
      const expected = manifest.packages[next++];
      if (entry.header.name !== expected?.archive.name)
        throw bundleInvalid(file, `${entry.header.name} is not where it should be`);
      const { key, what } = expected;
      const state = await loadPackage(entry, expected, known.get(key), file, context);
      entry.resume();
      onPackage({ key, what, state });
    }
    await read;
  } catch (error) {
    if (error instanceof EngineError) throw error;
    if ((error as NodeJS.ErrnoException).code === "ENOSPC") throw cacheFull(context.cache);
    throw bundleInvalid(file, error instanceof Error ? error.message : String(error), error);
  }
  if (!manifest) throw bundleInvalid(file, "it is empty");
  const missing = manifest.packages[next];
  if (missing) throw bundleInvalid(file, `it ends before ${missing.key}`);
}

async function loadPackage(
  entry: AsyncIterable<unknown>,
  { archive, bytes, key }: ManifestPackage,
  way: Way | undefined,
  file: string,
  context: RunContext,
): Promise<LoadedPackage["state"]> {
  if (!way) return "unknown";
  let state: LoadedPackage["state"] = "here";
  await materialise(context, key, async (draft) => {
    state = "loaded";
    const hash = createHash("sha256");
    await unpackFolder(hashed(entry, hash), draft, {
      most: bytes,
      bundle: file,
      signal: context.ended,
    });
    if (hash.digest("hex") !== archive.sha256)
      throw bundleInvalid(file, `${key} is not what it was when the bundle was made`);
    const failure = await proveAt(way, draft, context);
    if (failure !== undefined)
      throw bundleForeign(file, `its ${way.file} does not run here`, failure);
  });
  return state;
}

async function* hashed(
  source: AsyncIterable<unknown>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    hash.update(chunk as Uint8Array);
    yield chunk as Uint8Array;
  }
}

function knownWays(definitions: readonly EngineDefinition[]): Map<string, Way> {
  const packages = definitions.flatMap(({ process: recipe }) =>
    (recipe?.bundles ?? []).flatMap((bundle) => bundle.packages),
  );
  return new Map(packages.flatMap(({ ways }) => ways.map((way) => [way.key, way])));
}
