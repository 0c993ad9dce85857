import { createHash } from "node:crypto";
import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { AptWay, Located, Package } from "../../fetch/package.ts";
import { versionOf } from "../../fetch/packages.ts";
import { librariesOf } from "../../fetch/programs.ts";
import { packaged } from "../../fetch/recipe.ts";
import { type Installation, serverOf } from "../postgres/cluster.ts";
import { settingsFor } from "./settings.ts";

/** Where Debian and PGDG keep one folder for each major version. */
const versions = "/usr/lib/postgresql";

function programs(): string[] {
  if (!existsSync(versions)) return [];
  return readdirSync(versions)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(versions, version, "bin", "postgres"));
}

/** Whether the extensions are where this server looks for them: it finds its folders from its own. */
function isExtended(file: string): boolean {
  const bin = dirname(realpathSync(file));
  const version = /postgresql\/(\d+)\/bin$/.exec(bin)?.[1];
  const roots = version
    ? { share: `../../../../share/postgresql/${version}`, lib: "../lib" }
    : { share: "../share/postgresql", lib: "../lib/postgresql" };
  return [
    join(bin, "initdb"),
    ...["hypopg", "pg_cron"].map((name) => join(bin, roots.share, "extension", `${name}.control`)),
    ...["hypopg", "pg_cron", "wal2json"].map((name) => join(bin, roots.lib, `${name}.so`)),
  ].every((path) => existsSync(path));
}

function packagesOf(release: string, version: number): AptWay {
  const packages = ["", "-hypopg", "-cron", "-wal2json"].map(
    (part) => `postgresql-${version}${part}`,
  );
  return {
    client: "apt",
    key: `postgresql-${version}-extended-apt`,
    what: `Debian's postgresql-${version} packages`,
    // And 12 MB of libraries (ICU, LDAP, Kerberos) where a system has none of them yet.
    bytes: 20_000_000,
    source: `PostgreSQL ${version} with extensions, Debian's packages unpacked in our cache`,
    packages,
    release,
    // Just-in-time compilation, which we turn off, and scripts that manage clusters.
    without: /^(libllvm|libz3-|perl|libperl|libjson-perl|postgresql-common|ssl-cert|locales)/,
    file: `usr/lib/postgresql/${version}/bin/postgres`,
    proof: ["--version"],
  };
}

const extended: Package = {
  name: "postgresql",
  licence: "PostgreSQL AND BSD-3-Clause (wal2json)",
  own: {
    program: "postgres",
    variable: "KATA_PGEXTENDED",
    places: programs,
    accepts: isExtended,
    wanted: "with HypoPG, pg_cron and wal2json",
  },
  ways: [packagesOf("13", 17), packagesOf("12", 15)],
  hint: () =>
    "sudo apt-get install postgresql-17 postgresql-17-hypopg postgresql-17-cron postgresql-17-wal2json",
};

export const recipe = packaged({
  engine: "pgextended",
  bundles: [{ packages: [extended], lacks: ["vector"] }],
  version: (server) => versionOf(server, /PostgreSQL\) (\d+\.\d+)/),

  async prepare([server], _bundle, context) {
    if (!server) throw new Error("a bundle without a server");
    return serverOf(installationOf(server), context, settingsFor(context));
  },
});

function installationOf({ file, folder }: Located): Installation {
  const real = realpathSync(file);
  const build = createHash("sha256")
    .update(`${real} ${statSync(real).mtimeMs}`)
    .digest("hex");
  return {
    key: `pgextended-${build.slice(0, 8)}`,
    bin: dirname(real),
    libraries: librariesOf(folder),
    settings: { log_connections: "on", jit: "off" },
  };
}
