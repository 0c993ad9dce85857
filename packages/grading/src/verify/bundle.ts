import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Kata } from "../kata.ts";
import { sharedResolution } from "../submission/app/resolve.ts";

const ENTRY = "\0library:";

/**
 * Bundles those client libraries of an exercise that it says may be: each becomes a file, and what
 * they have in common stays one. A node that imports ioredis reads one file instead of a hundred, which
 * is a fifth of all the work that verifying an exercise takes.
 * @param resolutions where app nodes look for what imports resolve to; it is written here
 */
export async function bundleLibraries(kata: Kata, resolutions: string): Promise<void> {
  const names = kata.definition.bundled ?? [];
  if (names.length === 0) return;
  const folder = join(kata.folder, ".kata", `bundled-${await keyOf(kata, names)}`);
  if (!(await stat(folder).catch(() => undefined))) await bundle(kata, names, folder);
  const entries = names.map((name) => sharedResolution(name, fileUrl(folder, name)));
  await writeFile(resolutions, JSON.stringify(Object.fromEntries(entries)));
}

async function bundle(kata: Kata, names: readonly string[], folder: string): Promise<void> {
  const { rolldown } = await import("rolldown");
  const exported = await exportsOf(kata, names);
  const draft = `${folder}.${process.pid}`;
  try {
    const build = await rolldown({
      input: Object.fromEntries(names.map((name) => [fileName(name), ENTRY + name])),
      cwd: kata.folder,
      platform: "node",
      // What a library only uses when it is there need not be there.
      logLevel: "silent",
      plugins: [
        {
          name: "libraries",
          resolveId(id, importer) {
            if (id.startsWith(ENTRY)) return id;
            if (importer?.startsWith(ENTRY)) return this.resolve(id, join(kata.folder, "kata.ts"));
            return undefined;
          },
          load: (id) => (id.startsWith(ENTRY) ? stub(id.slice(ENTRY.length), exported) : undefined),
        },
      ],
    });
    await build.write({ dir: draft, format: "esm", entryFileNames: "[name].mjs" });
    await rename(draft, folder).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Node finds out what a CommonJS library exports; a bundler leaves it at a default export. */
function stub(name: string, exported: Readonly<Record<string, readonly string[]>>): string {
  const names = exported[name] ?? [];
  return [
    `import * as library from ${JSON.stringify(name)};`,
    ...names.map((each, index) => `const x${index} = library[${JSON.stringify(each)}];`),
    `export { ${names.map((each, index) => `x${index} as ${JSON.stringify(each)}`).join(", ")} };`,
  ].join("\n");
}

async function exportsOf(
  kata: Kata,
  names: readonly string[],
): Promise<Record<string, readonly string[]>> {
  const script = `
    const all = {};
    for (const name of ${JSON.stringify(names)}) all[name] = Object.keys(await import(name));
    process.stdout.write(JSON.stringify(all));`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", script],
    { cwd: kata.folder },
  );
  return JSON.parse(stdout);
}

/** Changes with the versions of the libraries: their packages' folders are named after those. */
async function keyOf(kata: Kata, names: readonly string[]): Promise<string> {
  const hash = createHash("sha256").update(await readFile(import.meta.filename));
  const { resolve } = createRequire(join(kata.folder, "kata.ts"));
  for (const name of ["rolldown", ...names]) {
    const from = name === "rolldown" ? createRequire(import.meta.url).resolve : resolve;
    hash.update(`${name} ${from(name)}\n`);
  }
  return hash.digest("hex").slice(0, 12);
}

function fileUrl(folder: string, name: string): string {
  return pathToFileURL(join(folder, `${fileName(name)}.mjs`)).href;
}

function fileName(name: string): string {
  return name.replace(/^@/, "").replaceAll("/", "-");
}
