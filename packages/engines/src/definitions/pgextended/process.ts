import type { Package } from "../../fetch/package.ts";
import { versionOf } from "../../fetch/packages.ts";
import { packaged } from "../../fetch/recipe.ts";
import { serverOf } from "../postgres/cluster.ts";
import { debianWay, installationOf, ownWith, versionPattern } from "../postgres/debian.ts";
import { settingsFor } from "./settings.ts";

const extensions = ["hypopg", "cron", "wal2json"];

const extended: Package = {
  name: "postgresql-extended",
  licence: "PostgreSQL AND BSD-3-Clause (wal2json)",
  own: ownWith(
    {
      controls: ["hypopg", "pg_cron"],
      libraries: [/^hypopg\./, /^pg_cron\./, /^wal2json\./],
    },
    "with HypoPG, pg_cron and wal2json",
    "KATA_PGEXTENDED",
  ),
  ways: [debianWay("13", 17, "extended", extensions), debianWay("12", 15, "extended", extensions)],
  hint: () =>
    "sudo apt-get install postgresql-17 postgresql-17-hypopg postgresql-17-cron postgresql-17-wal2json",
};

export const recipe = packaged({
  engine: "pgextended",
  bundles: [{ packages: [extended], lacks: ["vector"] }],
  version: (server) => versionOf(server, versionPattern),

  async prepare([server], _bundle, context) {
    if (!server) throw new Error("a bundle without a server");
    return serverOf(installationOf(server), context, settingsFor(context));
  },
});
