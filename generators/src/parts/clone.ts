import { stat } from "node:fs/promises";
import { join } from "node:path";
import { cloneNeeded } from "../errors.ts";

/**
 * Engines and faults are part of `packages/engines`, which only a clone has.
 * @throws GeneratorError `CLONE_NEEDED`
 */
export async function requireClone(root: string, what: string): Promise<void> {
  const engines = join(root, "packages", "engines", "src", "definitions");
  if (!(await stat(engines).catch(() => undefined))) throw cloneNeeded(what, root);
}
