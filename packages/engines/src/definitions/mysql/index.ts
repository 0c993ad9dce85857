import { ofAnyServer } from "../../capabilities.ts";
import type { EngineDefinition } from "../../definition.ts";
import { pinnedImage } from "../../image.ts";
import { ask } from "./client.ts";
import { container } from "./container.ts";
import { recipe } from "./process.ts";

/** By its protocol: MariaDB is what we run; MySQL itself is a URL away, and TiDB an engine of its own. */
export const definition: EngineDefinition = {
  name: "mysql",
  title: "MariaDB",
  licence: "GPL-2.0-only",
  capabilities: ["transactions", "durable", ...ofAnyServer, "readonly"],
  image: pinnedImage(import.meta.dirname),
  urlVariable: "KATA_MYSQL_URL",
  process: recipe,
  container,
  troubles: {
    /** As a replica is. Whoever lacks the privilege READ ONLY ADMIN can't override it. */
    async readonly({ adminUrl, control }) {
      await ask(adminUrl(), "SET GLOBAL read_only = ON");
      return async () => {
        await control.start();
        await ask(adminUrl(), "SET GLOBAL read_only = OFF");
      };
    },
  },
  async ready(adminUrl) {
    const version = await ask(adminUrl, "SELECT VERSION()");
    // The rest is how it was built: 10.11.19-MariaDB-0+deb12u1-log.
    return version.replace(/(?<=-MariaDB).*/, "");
  },
  async openNamespaces(server, context) {
    const { DatabaseNamespaces } = await import("../../databases.ts");
    const { MysqlDatabases } = await import("./namespaces.ts");
    return new DatabaseNamespaces(server, context, new MysqlDatabases(server, context));
  },
};
