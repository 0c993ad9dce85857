import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Kata } from "@db-katas/grading";
import { CliError } from "../errors.ts";
import { fetchPackage } from "../npm.ts";
import { exists, type Workspace } from "../workspace.ts";

/**
 * The folder of an exercise's solution: its author's own, else that of the package which it was published
 * as. That one is kept in `.kata/`, out of the reach of an attempt's imports.
 * @param variant one of its other right answers, where the author's folder is here
 * @throws CliError `REFERENCE_MISSING`, `PACKAGE_NOT_FOUND`
 */
export async function findReference(
  kata: Kata,
  workspace: Workspace,
  variant: string | undefined,
): Promise<string> {
  if (variant !== undefined) return findVariant(kata, variant);
  const own = join(kata.folder, "src");
  if (await exists(own)) return own;
  const manifest = await readFile(join(kata.folder, "package.json"), "utf8");
  const { name, version } = JSON.parse(manifest) as { name: string; version: string };
  const folder = join(workspace.root, ".kata", "solutions", `${kata.name}-${version}`);
  await fetchPackage(`${name}-solution@${version}`, workspace.root, folder);
  return join(folder, "src");
}

async function findVariant(kata: Kata, variant: string): Promise<string> {
  const variants = join(kata.folder, "variants");
  const names = await readdir(variants).catch(() => [] as string[]);
  if (names.includes(variant)) return join(variants, variant);
  throw new CliError("REFERENCE_MISSING", `${kata.name} has no variant "${variant}" here.`, {
    likelyCause:
      names.length > 0
        ? `its variants are ${names.sort().join(", ")}`
        : "variants are not published: they are in a clone of the exercise's repository",
    remedy: `pnpm kata diff ${kata.name}`,
  });
}
