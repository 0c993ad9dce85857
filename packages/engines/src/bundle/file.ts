import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { bundleMissing } from "../errors.ts";

/** @throws EngineError `BUNDLE_MISSING` */
export async function assertFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  // Not every file is a regular one: it may come through a pipe.
  if (!found || found.isDirectory()) throw bundleMissing(file);
}

/**
 * Of a file, in hexadecimal.
 * @throws EngineError `BUNDLE_MISSING`
 */
export async function sha256Of(file: string): Promise<string> {
  await assertFile(file);
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
