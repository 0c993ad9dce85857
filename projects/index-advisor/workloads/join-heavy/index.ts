import type { Workload } from "../workload.ts";
import { rowsOf, SCHEMA } from "./rows.ts";
import { statementsOf } from "./statements.ts";

const workload: Workload = {
  name: "join-heavy",
  summary:
    "a film archive: many tables around one, values that are skewed and depend on each other; 500,000 films at scale 1",
  smallScale: 0.02,
  async load(client, size) {
    await client.query(SCHEMA);
    for (const insert of rowsOf(size)) await client.query(insert);
    await client.query("ANALYZE");
  },
  statements: statementsOf,
};
export default workload;
