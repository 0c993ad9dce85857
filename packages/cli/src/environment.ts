import { createRequire } from "node:module";
import { arch, platform, release } from "node:os";

/** What a grade was run on, besides the engines. */
export function describeEnvironment() {
  const { version } = createRequire(import.meta.url)("../package.json") as { version: string };
  return { node: process.version, os: `${platform()} ${arch()} ${release()}`, kata: version };
}
