import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { EngineDefinition } from "./definition.ts";

/** The official image of an engine, from the Dockerfile in its definition's folder. */
export function pinnedImage(folder: string): string {
  const image = /^FROM (\S+)$/m.exec(readFileSync(join(folder, "Dockerfile"), "utf8"))?.[1];
  if (!image) throw new Error(`${folder}/Dockerfile has no line FROM`);
  return image;
}

/** The pinned image, unless `KATA_IMAGE_POSTGRES` and the like name another. */
export function imageFor(
  { name, image }: EngineDefinition,
  env: NodeJS.ProcessEnv,
): string | undefined {
  return env[`KATA_IMAGE_${name.toUpperCase()}`] || image;
}
