import pg from "pg";
import type { StoreName, Submission } from "../../contract.ts";
import { Node } from "./node.ts";

const schema = (name: StoreName) => `
  SELECT pg_advisory_xact_lock(4711);
  ALTER TABLE accounts ADD COLUMN IF NOT EXISTS rev bigint NOT NULL DEFAULT 0,
                       ADD COLUMN IF NOT EXISTS there bigint NOT NULL DEFAULT -1;
  CREATE TABLE IF NOT EXISTS graves (id text PRIMARY KEY, rev bigint NOT NULL, there bigint NOT NULL);
  CREATE TABLE IF NOT EXISTS helm (leads boolean NOT NULL, phase text NOT NULL, turn bigint NOT NULL);
  INSERT INTO helm SELECT ${name === "legacy"}, 'legacy', 0 WHERE NOT EXISTS (SELECT FROM helm);`;

export default {
  async migrate({ name, url }) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      await client.query(schema(name));
    } finally {
      await client.end();
    }
  },
  async createNode(config) {
    return new Node(config);
  },
} satisfies Submission;
