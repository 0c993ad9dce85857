import { existsSync, realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type RunContext, runTool, unique } from "../../context.ts";
import { startFailed } from "../../errors.ts";
import type { Located, Package } from "../../fetch/package.ts";
import { versionOf } from "../../fetch/packages.ts";
import { librariesOf } from "../../fetch/programs.ts";
import { packaged } from "../../fetch/recipe.ts";
import { makeFolderFor, type ServerUser, writeFor } from "../../user.ts";
import { administrator, adminName, adminPassword, layout, settings } from "./settings.ts";

/** Where it keeps its messages, and the scripts of the tables that it begins with, in their order. */
interface Share {
  readonly folder: string;
  readonly tables: readonly string[];
}

/** Distributions differ in the folder, and releases in the scripts' names (MariaDB 11: `mariadb_…`). */
function shareOf(file: string): Share | undefined {
  const prefix = dirname(dirname(realpathSync(file)));
  for (const folder of ["share/mysql", "share/mariadb"].map((path) => join(prefix, path)))
    for (const name of ["mariadb", "mysql"]) {
      const tables = ["system", "performance"].map((each) =>
        join(folder, `${name}_${each}_tables.sql`),
      );
      if (tables.every((table) => existsSync(table))) return { folder, tables };
    }
  return undefined;
}

const mariadb: Package = {
  name: "mariadbd",
  licence: "GPL-2.0-only",
  own: {
    program: "mariadbd",
    variable: "KATA_MARIADBD",
    wanted: "with its share folder",
    accepts: (file) => shareOf(file) !== undefined,
  },
  ways: [
    {
      client: "apt",
      key: "mariadb-server-core-apt",
      what: "Debian's mariadb-server-core package",
      bytes: 7_400_000,
      source: "MariaDB, the distribution's mariadbd unpacked in our cache",
      packages: ["mariadb-server-core"],
      file: "usr/sbin/mariadbd",
      proof: ["--no-defaults", "--version"],
    },
  ],
  hint: () =>
    process.platform === "darwin"
      ? "brew install mariadb"
      : "sudo apt-get install mariadb-server-core",
};

export const recipe = packaged({
  engine: "mysql",
  bundles: [{ packages: [mariadb] }],
  version: (server) => versionOf(server, /Ver (\S+?-MariaDB)/),

  async prepare([server], _bundle, context) {
    if (!server) throw new Error("a bundle without a server");
    const common = commonOf(server);
    return {
      seed: await freshData(server, context),
      stopSignal: "SIGTERM",
      adminUrl: (port) => `mysql://${adminName}:${adminPassword(context)}@127.0.0.1:${port}/mysql`,
      async launch(data, port) {
        // Read at each start: so a copied folder needs no password of an earlier run.
        const initially = join(data, "kata.sql");
        await writeFor(
          context.user,
          initially,
          `SET sql_log_bin = 0;\n${administrator(context)}\n`,
        );
        return {
          file: server.file,
          args: [
            ...common.args,
            ...settings,
            `--datadir=${data}`,
            `--tmpdir=${await temporaryFor(context.user, data)}`,
            `--init-file=${initially}`,
            "--bind-address=127.0.0.1",
            `--port=${port}`,
            // In its data folder: the path of a socket may not be long.
            "--socket=kata.sock",
          ],
          cwd: data,
          env: common.env,
        };
      },
    };
  },
});

function commonOf({ file, folder }: Located) {
  const { folder: share = "", tables = [] } = shareOf(file) ?? {};
  const libraries = librariesOf(folder);
  return {
    tables,
    args: ["--no-defaults", `--basedir=${dirname(dirname(share))}`, `--lc-messages-dir=${share}`],
    env: {
      PATH: process.env.PATH ?? "",
      LC_ALL: "C",
      ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: libraries }),
    },
  };
}

/**
 * A server's own, beside its data: as it starts, it removes whatever looks like a temporary table, and with
 * `/tmp` for all those of the others (MariaDB's `mysql_rm_tmp_tables`).
 */
async function temporaryFor(user: ServerUser, data: string): Promise<string> {
  const folder = `${data}.tmp`;
  await makeFolderFor(user, folder);
  return folder;
}

/** A data folder with the system's tables, and nobody in it. Takes less than a second, so once per run. */
async function freshData(server: Located, context: RunContext): Promise<string> {
  const { tables, args, env } = commonOf(server);
  const folder = join(context.folder, unique("mysql-seed"));
  const script = `${folder}.sql`;
  const texts = await Promise.all(tables.map((table) => readFile(table, "utf8")));
  const { uid, gid } = context.user;
  await writeFor(
    context.user,
    script,
    ["CREATE DATABASE mysql;", "USE mysql;", ...texts].join("\n"),
  );
  await makeFolderFor(context.user, folder);
  const { ok, output } = await runTool(context, {
    // It reads what it is to do from its standard input.
    file: "/bin/sh",
    args: [
      "-c",
      'script=$1; shift; exec "$@" < "$script"',
      "sh",
      script,
      server.file,
      ...args,
      ...layout,
      `--datadir=${folder}`,
      `--tmpdir=${await temporaryFor(context.user, folder)}`,
      "--bootstrap",
    ],
    env,
    cwd: folder,
    ...(uid === undefined || gid === undefined ? {} : { uid, gid }),
  });
  if (!ok) throw startFailed("mysql", server.source, "its first tables could not be made", output);
  return folder;
}
