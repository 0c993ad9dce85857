/** Who installs packages in a workspace, and how its people type commands. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export type PackageManager = "pnpm" | "npm";

/** Texts name commands as one types them with pnpm. */
const WITH_NPM: readonly (readonly [pnpm: string, npm: string])[] = [
  ["pnpm kata", "npx kata"],
  ["pnpm exec", "npx"],
  ["pnpm install", "npm install"],
  ["pnpm test", "npm test"],
];

/** A text as its readers type what it names. */
export function asTypedWith(pm: PackageManager, text: string): string {
  if (pm === "pnpm") return text;
  return WITH_NPM.reduce((said, [pnpm, npm]) => said.replaceAll(pnpm, npm), text);
}

/** Whose workspace a folder is the root of; undefined: it is none's. */
export function packageManagerOf(root: string): PackageManager | undefined {
  if (existsSync(join(root, "pnpm-workspace.yaml"))) return "pnpm";
  try {
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    return manifest.workspaces ? "npm" : undefined;
  } catch {
    return undefined;
  }
}
