import { defineExperiment } from "@db-katas/measure";
import { contenders } from "../bench/contenders.ts";
import { migrated } from "./stage.ts";

const FEW = 2;

export default defineExperiment({
  title: "What clients who do nothing cost a server, in memory.",
  parameters: { clients: { what: "clients on one document", full: 500, quick: 20 } },
  engines: { postgres: { engine: "postgres" } },
  contenders: {
    ours: { what: "the reference" },
    "y-websocket": { what: "y-websocket's server" },
    hocuspocus: { what: "Hocuspocus" },
  },
  metrics: {
    more: { what: `resident memory beyond that with ${FEW} clients`, kind: "value", unit: "B" },
  },
  turns: 7,
  warmUpTurns: 0,
  async open({ leases, parameters: { clients = 1 } }) {
    const postgres = await migrated(leases);
    return {
      async measure(contender, turn) {
        // A process anew for each: what one has taken once, it keeps.
        const taken = async (number: number): Promise<number> => {
          const open = contenders[contender as keyof typeof contenders];
          await using relay = await open({ postgres, clients: number });
          return await relay.memory();
        };
        const few = await taken(FEW);
        turn.record("more", (await taken(clients)) - few);
      },
      async [Symbol.asyncDispose]() {},
    };
  },
});
