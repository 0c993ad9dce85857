/**
 * An experiment for claims of your decision log: what is measured, and on which engines. It opens
 * nothing until it is run. In a turn each contender is measured once.
 */
import { defineExperiment } from "@db-katas/cli/experiment";
import pg from "pg";

export default defineExperiment({
  title: "What a question that asks for nothing takes.",
  parameters: { rows: { what: "what is in the store before", full: 10_000, quick: 100 } },
  engines: { legacy: { engine: "postgres" } },
  contenders: { legacy: { what: "SELECT 1" } },
  // One client, which asks again when it has its answer, for 200 ms.
  load: { kind: "closed", clients: 1, ms: 200 },
  async open({ leases }) {
    // Fill the store with parameters.rows rows, and open a node of yours on it.
    const client = new pg.Client({ connectionString: leases.legacy?.adminUrl });
    await client.connect();
    return {
      async measure(_contender, turn) {
        await turn.load(() => client.query("SELECT 1"));
      },
      async [Symbol.asyncDispose]() {
        await client.end();
      },
    };
  },
});
