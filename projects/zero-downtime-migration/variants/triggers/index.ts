import pg from "pg";
import type { Submission } from "../../contract.ts";
import { Node } from "./node.ts";
import { schemaOf } from "./schema.ts";

export default {
  async migrate({ name, url }) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      // Several statements in one message are one transaction.
      await client.query(schemaOf(name));
    } finally {
      await client.end();
    }
  },
  async createNode(config) {
    return new Node(config);
  },
} satisfies Submission;
