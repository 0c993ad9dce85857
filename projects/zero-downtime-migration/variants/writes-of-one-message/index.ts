import pg from "pg";
import type { Submission } from "../../contract.ts";
import { Node } from "./node.ts";
import { schema } from "./sql.ts";

export default {
  async migrate(store) {
    const client = new pg.Client({ connectionString: store.url, connectionTimeoutMillis: 5000 });
    client.on("error", () => {});
    await client.connect();
    try {
      await client.query("BEGIN");
      await client.query("SELECT pg_advisory_xact_lock(727002)");
      await client.query(schema(store.name));
      await client.query("COMMIT");
    } finally {
      await client.end();
    }
  },
  async createNode(config) {
    const node = new Node(config);
    try {
      await node.start();
    } catch (e) {
      await node.close();
      throw e;
    }
    return node;
  },
} satisfies Submission;
