import type { Workload } from "../workload.ts";
import { rowsOf, SCHEMA } from "./rows.ts";
import { statementsOf } from "./statements.ts";

const workload: Workload = {
  name: "document",
  summary:
    "a shop that keeps documents: jsonb, arrays, full text, parts of words, ranges, places; 1,000,000 articles at scale 1",
  smallScale: 0.02,
  async load(client, size) {
    // A trusted one: whoever may create in the database may create it.
    await client.query("CREATE EXTENSION IF NOT EXISTS pg_trgm");
    await client.query(SCHEMA);
    for (const insert of rowsOf(size)) await client.query(insert);
    await client.query("ANALYZE");
  },
  statements: statementsOf,
};
export default workload;
