import type { Workload } from "../workload.ts";
import { rowsOf, SCHEMA } from "./rows.ts";
import { statementsOf } from "./statements.ts";

const workload: Workload = {
  name: "tpch-like",
  summary:
    "a wholesaler's eight tables and 22 reports, in the manner of TPC-H; 6,000,000 order lines at scale 1",
  smallScale: 0.01,
  async load(client, size) {
    await client.query(SCHEMA);
    for (const insert of rowsOf(size)) await client.query(insert);
    await client.query("ANALYZE");
  },
  statements: statementsOf,
};
export default workload;
