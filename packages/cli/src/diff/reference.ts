import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Kata } from "@db-katas/grading";
import { CliError } from "../errors.ts";
import { fetchPackage } from "../npm.ts";
import { exists, type Workspace } from "../workspace.ts";

/**
 * The folder of an exercise's solution: its author's own, else that of the package which it was published
 * as. That one is kept in `.kata/`, out of the reach of an attempt's imports.
 * @param variant one of its other right answers
 * @throws CliError `REFERENCE_MISSING`, `PACKAGE_NOT_FOUND`
 */
export async function findReference(
  kata: Kata,
  workspace: Workspace,
  variant: string | undefined,
): Promise<string> {
  const folder = await solutionOf(kata, workspace);
  return variant === undefined ? join(folder, "src") : findVariant(kata, folder, variant);
}

async function solutionOf(kata: Kata, { root }: Workspace): Promise<string> {
  if (await exists(join(kata.folder, "src"))) return kata.folder;
  const manifest = await readFile(join(kata.folder, "package.json"), "utf8");
  const { name, version } = JSON.parse(manifest) as { name: string; version: string };
  const folder = join(root, ".kata", "solutions", `${kata.name}-${version}`);
  await fetchPackage(`${name}-solution@${version}`, root, folder);
  return folder;
}

async function findVariant(kata: Kata, folder: string, variant: string): Promise<string> {
  const variants = join(folder, "variants");
  const names = await readdir(variants).catch(() => [] as string[]);
  if (names.includes(variant)) return join(variants, variant);
  throw new CliError("REFERENCE_MISSING", `${kata.name} has no variant "${variant}".`, {
    likelyCause: `its variants are ${names.sort().join(", ") || "none"}`,
    remedy: `pnpm kata diff ${kata.name}`,
  });
}
