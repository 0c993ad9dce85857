import type { Package } from "../../fetch/package.ts";
import { versionOf } from "../../fetch/packages.ts";
import { packaged } from "../../fetch/recipe.ts";
import { serverOf } from "../postgres/cluster.ts";
import { debianWay, installationOf, ownWith, versionPattern } from "../postgres/debian.ts";
import { settings } from "./settings.ts";

const controls = ["timescaledb"];
const variable = "KATA_TIMESCALEDB";

/** As Timescale packages it; the library `timescaledb-tsl` is what its own licence covers. */
const complete: Package = {
  name: "timescaledb",
  licence: "Apache-2.0 AND LicenseRef-Timescale",
  own: ownWith(
    { controls, libraries: [/^timescaledb-tsl-/] },
    "with TimescaleDB under its own licence",
    variable,
  ),
  ways: [],
  hint: () => "install timescaledb-2-postgresql-18 from packagecloud.io/timescale/timescaledb",
};

/** As distributions may ship it. */
const apache: Package = {
  name: "timescaledb-apache",
  licence: "Apache-2.0",
  own: ownWith({ controls, libraries: [/^timescaledb-\d/] }, "with TimescaleDB", variable),
  ways: [debianWay("13", 17, "timescaledb", ["timescaledb"])],
  hint: () => "sudo apt-get install postgresql-17-timescaledb",
};

export const recipe = packaged({
  engine: "timescaledb",
  bundles: [{ packages: [complete] }, { packages: [apache], lacks: ["continuousAggregates"] }],
  version: (server) => versionOf(server, versionPattern),

  async prepare([server], _bundle, context) {
    if (!server) throw new Error("a bundle without a server");
    return serverOf(installationOf(server), context, settings);
  },
});
