import { ofAnyServer } from "../../capabilities.ts";
import type { EngineDefinition } from "../../definition.ts";
import { pinnedImage } from "../../image.ts";
import { ask } from "../mysql/client.ts";
import { container } from "./container.ts";

/** Stores that are up and hold columns (TiDB manual, INFORMATION_SCHEMA.TIKV_STORE_STATUS). */
const columnStores = `SELECT COUNT(*) FROM information_schema.tikv_store_status
  WHERE store_state_name = 'Up' AND label LIKE '%"tiflash"%'`;

/** TiDB with TiFlash: one without it would answer every question, and prove nothing about two ways to read. */
export const definition: EngineDefinition = {
  name: "tidb",
  title: "TiDB with TiFlash",
  licence: "Apache-2.0",
  capabilities: ["transactions", "durable", ...ofAnyServer],
  image: pinnedImage(import.meta.dirname, "tidb"),
  urlVariable: "KATA_TIDB_URL",
  urlExample: "mysql://root:password@host:4000/mysql",
  container,
  async ready(adminUrl) {
    // It says whose place it takes, too: 8.0.11-TiDB-v8.5.8.
    const version = await ask(adminUrl, "SELECT VERSION()");
    const [, own] = /-TiDB-v(.*)/.exec(version) ?? [];
    if (own === undefined) throw new Error(`it is no TiDB: its version is ${version}`);
    if ((await ask(adminUrl, columnStores)) === "0")
      throw new Error("it has no TiFlash that is up");
    return own;
  },
  async openNamespaces(server, context) {
    const { DatabaseNamespaces } = await import("../../databases.ts");
    const { MysqlDatabases } = await import("../mysql/namespaces.ts");
    const { copyWithReplicas } = await import("./replicas.ts");
    const databases = new MysqlDatabases(server, context, copyWithReplicas);
    return new DatabaseNamespaces(server, context, databases);
  },
};
