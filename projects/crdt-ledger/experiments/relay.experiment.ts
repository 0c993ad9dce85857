import { defineExperiment } from "@db-katas/measure";
import { ClientsProcess } from "../bench/clients-process.ts";
import { type ContenderName, NAMES } from "../bench/contenders.ts";
import { migrated } from "./stage.ts";

/** Of one client's, on their way at a time: so many that neither server would hand on more a second with more of them. */
const IN_FLIGHT = 16;

export default defineExperiment({
  title: "How many changes of a board a server hands on to everybody, and how late they arrive.",
  parameters: {
    clients: {
      what: "clients on one document, each of whom changes something",
      full: 50,
      quick: 4,
    },
    changes: { what: "changes of each client in a turn", full: 200, quick: 5 },
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
    const contenders = new Map<ContenderName, ClientsProcess>();
    for (const name of NAMES) {
      contenders.set(name, opening.use(await ClientsProcess.start(name, { postgres, clients })));
    }
    const opened = opening.move();
    return {
      async measure(contender, turn) {
        const theirs = contenders.get(contender as ContenderName) as ClientsProcess;
        const sample = await theirs.run({ clients, changes, inFlight: IN_FLIGHT });
        turn.record("throughput", sample.perSecond);
        turn.record("cpu", sample.cpuUs);
        for (const ms of sample.latencies) turn.record("latency", ms);
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  },
});
