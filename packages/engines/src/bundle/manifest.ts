import { z } from "zod";
import { bundleForeign, bundleInvalid, bundleUnsafe } from "../errors.ts";

export const manifestName = "manifest.json";
/** Another layout of the file has another number. */
const layout = 1;

/**
 * What a bundle says of itself, in its first entry. Its hashes find accidents; whoever can change the
 * file can change them too.
 */
const manifestSchema = z.object({
  format: z.literal("db-katas bundle"),
  layout: z.number(),
  platform: z.string(),
  arch: z.string(),
  packages: z.array(
    z.object({
      /** Its folder in the cache. */
      key: z.string(),
      /** For people. */
      what: z.string(),
      /** Of its files, unpacked. */
      bytes: z.number().int().nonnegative(),
      /** Of its compressed archive, which is the entry of that name. */
      archive: z.object({ name: z.string(), bytes: z.number(), sha256: z.string() }),
    }),
  ),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestPackage = Manifest["packages"][number];

export function manifestOf(packages: readonly ManifestPackage[]): Manifest {
  return {
    format: "db-katas bundle",
    layout,
    platform: process.platform,
    arch: process.arch,
    packages: [...packages],
  };
}

/**
 * @throws EngineError `BUNDLE_INVALID`
 * @throws EngineError `BUNDLE_FOREIGN` when it was made on another kind of machine
 * @throws EngineError `BUNDLE_UNSAFE` when a name could be something else than a folder's
 */
export function parseManifest(file: string, text: string): Manifest {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw bundleInvalid(file, `its ${manifestName} is not JSON`);
  }
  const { data, error } = manifestSchema.safeParse(content);
  if (!data) throw bundleInvalid(file, `its ${manifestName} is not as it should be`, error);
  if (data.layout !== layout)
    throw bundleForeign(file, `its layout is ${data.layout}, and this version reads ${layout}`);
  const made = `${data.platform}-${data.arch}`;
  const here = `${process.platform}-${process.arch}`;
  if (made !== here) throw bundleForeign(file, `it was made on ${made}, and this is ${here}`);
  for (const { key, what } of data.packages) {
    if (!/^\w[\w.+-]*$/.test(key) || /\p{Cc}/u.test(what))
      throw bundleUnsafe(file, `${JSON.stringify(key)} is not a name of a package`);
  }
  return data;
}
