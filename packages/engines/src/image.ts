import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The official image of an engine, from the Dockerfile in its definition's folder.
 * `KATA_IMAGE_POSTGRES` and the like override it.
 */
export function imageOf(name: string, folder: string, env: NodeJS.ProcessEnv = process.env): string {
  const override = env[`KATA_IMAGE_${name.toUpperCase()}`];
  if (override) return override;
  const image = /^FROM (\S+)$/m.exec(readFileSync(join(folder, "Dockerfile"), "utf8"))?.[1];
  if (!image) throw new Error(`the Dockerfile of ${name} has no line FROM`);
  return image;
}
