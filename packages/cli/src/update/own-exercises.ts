/** Exercises of a workspace's owner: theirs alone, but for the versions of what runs them. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Workspace } from "../workspace.ts";
import type { Content, Tree } from "./tree.ts";

type Versions = Readonly<Record<string, string>>;

interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

/**
 * What a new exercise takes over from the workspace's package.json follows it, where nobody has changed
 * it since: two versions of the grader in one workspace would not know each other's errors.
 * @returns package.json files that change, by their paths
 */
export async function followVersions(
  { root }: Workspace,
  base: Tree,
  theirs: Tree,
): Promise<Map<string, Content>> {
  const [was, is] = [base, theirs].map(versionsIn);
  const names = await readdir(join(root, "projects")).catch(() => [] as string[]);
  const changed = new Map<string, Content>();
  for (const name of names.sort()) {
    const path = `projects/${name}/package.json`;
    const text = await readFile(join(root, path), "utf8").catch(() => undefined);
    if (text === undefined) continue;
    const followed = follow(text, was ?? {}, is ?? {});
    if (followed !== undefined) {
      changed.set(path, { bytes: Buffer.from(followed), executable: false });
    }
  }
  return changed;
}

/** Undefined: there is nothing to follow, or nothing that could be read. */
function follow(text: string, was: Versions, is: Versions): string | undefined {
  let manifest: Manifest;
  try {
    manifest = JSON.parse(text) as Manifest;
  } catch {
    return undefined;
  }
  let follows = false;
  for (const list of [manifest.dependencies, manifest.devDependencies]) {
    for (const [name, version] of Object.entries(list ?? {})) {
      const next = is[name];
      if (!list || next === undefined || next === version || was[name] !== version) continue;
      list[name] = next;
      follows = true;
    }
  }
  const indent = /^[ \t]+/m.exec(text)?.[0] ?? "  ";
  return follows ? `${JSON.stringify(manifest, null, indent)}\n` : undefined;
}

function versionsIn(tree: Tree): Versions {
  const text = tree.get("package.json")?.bytes.toString("utf8") ?? "{}";
  return (JSON.parse(text) as Manifest).devDependencies ?? {};
}
