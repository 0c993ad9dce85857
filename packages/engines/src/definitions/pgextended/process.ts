import type { Package } from "../../fetch/package.ts";
import { versionOf } from "../../fetch/packages.ts";
import { packaged } from "../../fetch/recipe.ts";
import { serverOf } from "../postgres/cluster.ts";
import { debianWay, installationOf, ownWith, versionPattern } from "../postgres/debian.ts";
import { settingsFor } from "./settings.ts";

const extensions = ["hypopg", "cron", "wal2json"];
const files = {
  controls: ["hypopg", "pg_cron"],
  libraries: [/^hypopg\./, /^pg_cron\./, /^wal2json\./],
};
const variable = "KATA_PGEXTENDED";
const licence = "PostgreSQL AND BSD-3-Clause (wal2json)";

const withVectors: Package = {
  name: "postgresql-extended",
  licence,
  own: ownWith(
    { ...files, controls: [...files.controls, "vector"] },
    "with HypoPG, pg_cron, wal2json and pgvector",
    variable,
  ),
  ways: [debianWay("13", 17, "extended", [...extensions, "pgvector"])],
  hint: () =>
    `sudo apt-get install postgresql-17 ${[...extensions, "pgvector"].map((each) => `postgresql-17-${each}`).join(" ")}`,
};

const withoutVectors: Package = {
  name: "postgresql-extended-without-vectors",
  licence,
  own: ownWith(files, "with HypoPG, pg_cron and wal2json", variable),
  ways: [debianWay("12", 15, "extended", extensions)],
  hint: withVectors.hint,
};

export const recipe = packaged({
  engine: "pgextended",
  spares: 3,
  bundles: [{ packages: [withVectors] }, { packages: [withoutVectors], lacks: ["vector"] }],
  version: (server) => versionOf(server, versionPattern),

  async prepare([server], _bundle, context) {
    if (!server) throw new Error("a bundle without a server");
    return serverOf(installationOf(server), context, settingsFor(context));
  },
});
