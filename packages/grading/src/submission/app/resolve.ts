/** How an app node finds what a submission imports. */
import { readFileSync, realpathSync, renameSync, writeFileSync } from "node:fs";
import { type ResolveFnOutput, type ResolveHookContext, registerHooks } from "node:module";
import { pathToFileURL } from "node:url";

/**
 * A submission may lie anywhere on disk. What it imports and does not have itself, it gets from the
 * exercise that it is an answer to.
 *
 * Looking for a few hundred modules of client libraries takes a sixth of the time in which a node
 * starts, and each node finds the same: what one has found, the next ones read in `file`.
 * @param file kept as long as nothing is installed or removed; default: none
 * @returns to be called when a node has started: writes down what was found
 */
export function resolveFrom(exercise: string, file?: string): () => void {
  const parentURL = pathToFileURL(`${realpathSync(exercise)}/index.ts`).href;
  const known = file ? read(file) : {};
  let isNew = false;
  registerHooks({
    resolve(specifier, context, next) {
      const required = context.conditions.includes("require") ? "require" : "import";
      const key = `${required} ${specifier} ${context.parentURL}`;
      const before = known[key] ?? (ours(context) ? known[`${required} ${specifier}`] : undefined);
      if (before) return before;
      let found: ResolveFnOutput;
      try {
        found = next(specifier, context);
      } catch (error) {
        if (/^[./]|^[a-z]+:/.test(specifier)) throw error;
        found = next(specifier, { ...context, parentURL });
      }
      if (file) {
        known[key] = { url: found.url, format: found.format, shortCircuit: true };
        isNew = true;
      }
      return found;
    },
  });
  // Captured: by the time they are called, a submission may have replaced them.
  const [toText, write, rename] = [JSON.stringify, writeFileSync, renameSync];
  return () => {
    if (!file || !isNew) return;
    isNew = false;
    // Renamed, so that no node reads half of it; of two that write at once, one is enough.
    const draft = `${file}.${process.pid}`;
    try {
      write(draft, toText(known));
      rename(draft, file);
    } catch {
      // The next node finds for itself.
    }
  };
}

/** For all modules of a submission the same; what libraries import is their own affair. */
export function sharedResolution(specifier: string, url: string): [string, ResolveFnOutput] {
  return [`import ${specifier}`, { url, format: "module", shortCircuit: true }];
}

function ours({ parentURL }: ResolveHookContext): boolean {
  return parentURL !== undefined && !parentURL.includes("/node_modules/");
}

function read(file: string): Record<string, ResolveFnOutput> {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return {};
  }
}
