import { defineExperiment } from "@db-katas/measure";
import { type ContenderName, contenders } from "../bench/contenders.ts";
import { run } from "../bench/load.ts";
import type { Relay } from "../bench/relay.ts";
import { migrated } from "./stage.ts";

/** Of one client's, on their way at a time. */
const IN_FLIGHT = 4;

export default defineExperiment({
  title: "How many changes of a board a server hands on to everybody, and how late they arrive.",
  parameters: {
    clients: {
      what: "clients on one document, each of whom changes something",
      full: 50,
      quick: 4,
    },
    changes: { what: "changes of each client in a turn", full: 40, quick: 5 },
  },
  engines: { postgres: { engine: "postgres" } },
  contenders: {
    ours: { what: "the reference: looks at each change, and has it in PostgreSQL first" },
    "y-websocket": { what: "y-websocket's server, which keeps what comes in memory" },
    hocuspocus: { what: "Hocuspocus, without an extension that keeps anything" },
    "rows-only": { what: "a server that has each change in PostgreSQL first, and looks at none" },
  },
  metrics: {
    cpu: { what: "processor time of the server's process", kind: "value", unit: "us/change" },
  },
  async open({ leases, parameters: { clients = 1, changes = 1 } }) {
    await using opening = new AsyncDisposableStack();
    const postgres = await migrated(leases);
    const relays = new Map<string, Relay>();
    for (const [name, open] of Object.entries(contenders)) {
      relays.set(name, opening.use(await open({ postgres, clients })));
    }
    const opened = opening.move();
    return {
      async measure(contender, turn) {
        const relay = relays.get(contender as ContenderName) as Relay;
        const sample = await run(relay, { clients, changes, inFlight: IN_FLIGHT });
        turn.record("throughput", sample.perSecond);
        turn.record("cpu", sample.cpuUs);
        for (const ms of sample.latencies) turn.record("latency", ms);
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  },
});
