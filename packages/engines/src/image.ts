import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { EngineDefinition } from "./definition.ts";

/** The official image of an engine, from the Dockerfile in its definition's folder. */
export function pinnedImage(folder: string): string {
  const image = /^FROM (\S+)$/m.exec(readFileSync(join(folder, "Dockerfile"), "utf8"))?.[1];
  if (!image) throw new Error(`${folder}/Dockerfile has no line FROM`);
  return image;
}

/**
 * An image that no registry has, since it is built of the Dockerfile in its definition's folder: that
 * of its base, with things added. Its tag is its base's.
 */
export function ownImage(
  folder: string,
  name: string,
): Required<Pick<EngineDefinition, "image" | "imageFolder">> {
  const tag = /:([^:@]+)/.exec(pinnedImage(folder))?.[1];
  return { image: `db-katas/${name}:${tag}`, imageFolder: folder };
}

/** The variable that names another image: `KATA_IMAGE_POSTGRES` and the like. */
export function imageVariable({ name }: EngineDefinition): string {
  return `KATA_IMAGE_${name.toUpperCase()}`;
}

/** The pinned image, unless the engine's variable names another. */
export function imageFor(definition: EngineDefinition, env: NodeJS.ProcessEnv): string | undefined {
  return env[imageVariable(definition)] || definition.image;
}
