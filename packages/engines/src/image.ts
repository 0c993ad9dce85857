import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Companion, EngineDefinition } from "./definition.ts";

/**
 * The official image of an engine, from the Dockerfile in its definition's folder.
 * @param member of a group: there, each image is a stage of its name
 */
export function pinnedImage(folder: string, member?: string): string {
  const stages = readFileSync(join(folder, "Dockerfile"), "utf8").matchAll(
    /^FROM (\S+)(?: AS (\S+))?$/gm,
  );
  const image = [...stages].find(([, , stage]) => stage === member)?.[1];
  if (!image)
    throw new Error(`${folder}/Dockerfile has no line FROM${member ? ` … AS ${member}` : ""}`);
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

/** An image that a server takes. */
export interface WantedImage {
  /** The companion whose it is; the published container's has none. */
  readonly companion?: Companion;
  readonly name: string;
  /** The variable that names another one: `KATA_IMAGE_POSTGRES`, `KATA_IMAGE_TIDB_PD` and the like. */
  readonly variable: string;
}

/** What a server takes of images, in the order of start; each is the pinned one unless its variable names another. */
export function imagesFor(
  { name, image, container }: EngineDefinition,
  env: NodeJS.ProcessEnv,
): WantedImage[] {
  const own = `KATA_IMAGE_${name.toUpperCase().replaceAll("-", "_")}`;
  const companions = (container?.companions ?? []).map((companion) => {
    const variable = `${own}_${companion.name.toUpperCase()}`;
    return { companion, name: env[variable] || companion.image, variable };
  });
  const published = env[own] || image;
  return published ? [...companions, { name: published, variable: own }] : [];
}

/** For people. */
export function containersOf(images: readonly string[]): string {
  return `container${images.length > 1 ? "s" : ""} of ${images.join(", ")}`;
}
