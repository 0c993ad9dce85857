import { dirname } from "node:path";
import { asTypedWith, type PackageManager, packageManagerOf } from "@db-katas/generators";
import type { Scorecard } from "@db-katas/grading";

/** A text as one types what it names in the workspace that we are in. */
export function asTypedHere(text: string, pm: PackageManager = packageManagerHere()): string {
  return asTypedWith(pm, text);
}

/** The same, of all texts in what is about to be JSON. */
export function allAsTypedHere<T>(value: T): T {
  return JSON.parse(asTypedHere(JSON.stringify(value)));
}

/** What machines read names the same commands as what people are shown. */
export function withTypedHere(scorecard: Scorecard): Scorecard {
  const checks = scorecard.checks.map((check) => ({ ...check, replay: asTypedHere(check.replay) }));
  return { ...scorecard, checks };
}

/**
 * Of the workspace around a folder; outside of all, whoever runs us, as package managers tell:
 * `npm/11.6.2 node/v24.21.0 linux x64`.
 */
export function packageManagerHere(
  folder: string = process.cwd(),
  agent: string = process.env.npm_config_user_agent ?? "",
): PackageManager {
  const found = packageManagerOf(folder);
  if (found) return found;
  if (folder !== dirname(folder)) return packageManagerHere(dirname(folder), agent);
  return agent.startsWith("npm/") ? "npm" : "pnpm";
}
