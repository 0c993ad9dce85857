/** PostgreSQL as Debian and PGDG install it, with one folder for each major version. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { timeZonesMissing } from "../../errors.ts";
import type { AptWay, Located, OwnCopy } from "../../fetch/package.ts";
import { librariesOf } from "../../fetch/programs.ts";
import type { Installation } from "./cluster.ts";

const versions = "/usr/lib/postgresql";
const zones = "/usr/share/zoneinfo";

/** What an extension, or a plugin, is made of; `.` stands for the version in a library's name. */
export interface ExtensionFiles {
  /** Without `.control`. */
  readonly controls: readonly string[];
  readonly libraries: readonly RegExp[];
}

/** A copy of the system's own, if it has them. */
export function ownWith(files: ExtensionFiles, wanted: string, variable: string): OwnCopy {
  return {
    program: "postgres",
    variable,
    places,
    wanted,
    accepts: (file) => has(files, file),
  };
}

/** Debian's packages of one of its releases; each has one major version. */
export function debianWay(
  release: string,
  version: number,
  name: string,
  extensions: readonly string[],
): AptWay {
  return {
    client: "apt",
    key: `postgresql-${version}-${name}-apt`,
    what: `Debian's postgresql-${version} and ${extensions.join(", ")}`,
    // And 12 MB of libraries (ICU, LDAP, Kerberos) where a system has none of them yet.
    bytes: 20_000_000,
    source: `PostgreSQL ${version} with ${extensions.join(", ")}, Debian's packages unpacked in our cache`,
    packages: [
      `postgresql-${version}`,
      ...extensions.map((each) => `postgresql-${version}-${each}`),
    ],
    release,
    // Just-in-time compilation, which we turn off, and scripts that manage clusters.
    without: /^(libllvm|libz3-|perl|libperl|libjson-perl|postgresql-common|ssl-cert|locales)/,
    file: `usr/lib/postgresql/${version}/bin/postgres`,
    proof: ["--version"],
  };
}

/** What `postgres --version` says after its name. */
export const versionPattern = /PostgreSQL\) (\d+\.\d+)/;

/** @throws EngineError `START_FAILED` where there are no time zones, which it has in no folder of its own */
export function installationOf({ file, folder }: Located): Installation {
  if (folder !== undefined && !existsSync(zones)) throw timeZonesMissing(zones);
  const real = realpathSync(file);
  const build = createHash("sha256")
    .update(`${real} ${statSync(real).mtimeMs}`)
    .digest("hex");
  return {
    key: `postgres-${build.slice(0, 8)}`,
    bin: dirname(real),
    libraries: librariesOf(folder),
    settings: { log_connections: "on", jit: "off" },
  };
}

/** The newest first. */
function places(): string[] {
  if (!existsSync(versions)) return [];
  return readdirSync(versions)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(versions, version, "bin", "postgres"));
}

/** Whether they are where this server looks for them: it finds its folders from its own. */
function has({ controls, libraries }: ExtensionFiles, file: string): boolean {
  const bin = dirname(realpathSync(file));
  const version = /postgresql\/(\d+)\/bin$/.exec(bin)?.[1];
  const [share, lib] = version
    ? [`../../../../share/postgresql/${version}`, "../lib"]
    : ["../share/postgresql", "../lib/postgresql"];
  const found = existsSync(join(bin, lib)) ? readdirSync(join(bin, lib)) : [];
  return (
    existsSync(join(bin, "initdb")) &&
    controls.every((name) => existsSync(join(bin, share, "extension", `${name}.control`))) &&
    libraries.every((pattern) => found.some((name) => pattern.test(name)))
  );
}
