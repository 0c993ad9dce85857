import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { registerHelpers } from "../render.ts";

const TEMPLATES = join(import.meta.dirname, "..", "..", "templates", "parts");

/** @param file below `templates/parts/` */
export async function renderPart(file: string, context: object): Promise<string> {
  // Only here: it brings prompts along, and every kata command would wait for them.
  const { default: nodePlop } = await import("node-plop");
  const plop = await nodePlop();
  registerHelpers(plop);
  return plop.renderString(await readFile(join(TEMPLATES, file), "utf8"), context);
}
