import {
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { installPackages } from "./install.ts";

/** A workspace of its own in a temporary folder, whose `@db-katas/*` are the packages of a clone. */
export interface LinkedWorkspace extends AsyncDisposable {
  readonly root: string;
  /**
   * Installs what its projects need.
   * @throws GeneratorError `INSTALL_FAILED`
   */
  install(signal?: AbortSignal): Promise<void>;
}

export interface LinkedWorkspaceOptions {
  /**
   * Where to make its folder; default: the system's folder for temporary files. The folder of a run
   * of engines is a good place: it is removed however the run ends.
   */
  readonly parent?: string;
}

/**
 * Makes a minimal workspace outside of a clone: room for exercises that nobody has to clean up.
 * `kata`, run by node from the clone with this workspace as its folder, works in it as in the clone.
 * Disposing it removes it.
 */
export async function createLinkedWorkspace(
  repoRoot: string,
  options: LinkedWorkspaceOptions = {},
): Promise<LinkedWorkspace> {
  const repo = await realpath(resolve(repoRoot));
  const root = await realpath(await mkdtemp(join(options.parent ?? tmpdir(), "kata-workspace-")));
  const dispose = () => rm(root, { recursive: true, force: true, maxRetries: 3 });
  try {
    await mkdir(join(root, "projects"));
    await Promise.all([
      ...["tsconfig.base.json", "biome.json", ".gitignore", "pnpm-lock.yaml"].map((file) =>
        copyFile(join(repo, file), join(root, file)),
      ),
      writeFile(join(root, "package.json"), await manifest(repo)),
      writeFile(join(root, "pnpm-workspace.yaml"), await settings(repo)),
    ]);
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    root,
    install: (signal) => installPackages(root, signal),
    [Symbol.asyncDispose]: dispose,
  };
}

async function manifest(repo: string): Promise<string> {
  const { packageManager } = JSON.parse(await readFile(join(repo, "package.json"), "utf8")) as {
    packageManager: string;
  };
  const content = { name: "db-katas-linked", private: true, type: "module", packageManager };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** The clone's settings, but with its packages linked by their real paths: Node strips their types. */
async function settings(repo: string): Promise<string> {
  const { parse, stringify } = await import("yaml");
  const text = await readFile(join(repo, "pnpm-workspace.yaml"), "utf8");
  const links: Record<string, string> = {};
  for (const folder of await readdir(join(repo, "packages"))) {
    const path = join(repo, "packages", folder);
    const found = await readFile(join(path, "package.json"), "utf8").catch(() => undefined);
    if (found === undefined) continue;
    const { name } = JSON.parse(found) as { name: string };
    links[name] = `link:${path}`;
  }
  // A patch that nobody here needs would be an error.
  const { patchedDependencies: _, ...kept } = parse(text);
  return stringify({ ...kept, packages: ["projects/*", "attempts/*"], overrides: links });
}
