import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Workload } from "./workload.ts";

export type { Size, Workload } from "./workload.ts";

/** Each folder here is one; its `index.ts` default-exports it. */
export const workloadNames: readonly string[] = readdirSync(import.meta.dirname, {
  withFileTypes: true,
})
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

/** @throws RangeError for a name that no folder has */
export async function loadWorkload(name: string): Promise<Workload> {
  if (!workloadNames.includes(name)) {
    throw new RangeError(`There is no workload "${name}"; there are ${workloadNames.join(", ")}.`);
  }
  const file = pathToFileURL(join(import.meta.dirname, name, "index.ts"));
  const { default: workload } = (await import(file.href)) as { default: Workload };
  return workload;
}
