import type { Lease } from "@db-katas/engines";
import { defineExperiment } from "@db-katas/measure";
import { fillSessions, openNodeOn, STALENESS_MS } from "./node.ts";
import { bothStores } from "./readers.ts";

const CALLS = 50;

export default defineExperiment({
  title: "What a call costs the stores, in messages: counted on the wire.",
  parameters: {
    watchMs: { what: "how long a node only reads, in milliseconds", full: 4_000, quick: 1_000 },
  },
  engines: bothStores,
  contenders: { node: { what: "our node" } },
  metrics: {
    "commands-a-read": { what: "in Redis, one read after the other", kind: "value", unit: "1" },
    "commands-for-50": { what: "in Redis, for 50 reads at once", kind: "value", unit: "1" },
    "commands-a-write": { what: "in Redis", kind: "value", unit: "1" },
    "statements-a-write": { what: "in PostgreSQL", kind: "value", unit: "1" },
    "statements-per-period": {
      what: "in PostgreSQL, of a node that only reads: for each S/2 that began",
      kind: "value",
      unit: "1",
    },
  },
  turns: 5,
  warmUpTurns: 0,
  async open({ leases, parameters: { watchMs = 0 } }) {
    const { postgres, redis } = leases;
    if (!postgres || !redis) throw new Error("The experiment names postgres and redis.");
    const node = await openNodeOn(leases);
    const ids = await fillSessions(node, CALLS);
    const [id = ""] = ids;
    let version = (await node.get(id))?.version ?? 0;
    const write = async (): Promise<void> => {
      for (let i = 0; i < CALLS; i++) {
        ({ version } = await node.update(id, { data: { i }, expectedVersion: version }));
      }
    };
    // A server learns each script once, and each session is read for the first time once.
    await write();
    for (const one of ids) await node.get(one);
    return {
      async measure(_, turn) {
        const reads = await count(redis, async () => {
          for (let i = 0; i < CALLS; i++) await node.get(id);
        });
        turn.record("commands-a-read", reads / CALLS);
        const together = () => Promise.all(ids.map((one) => node.get(one)));
        turn.record("commands-for-50", await count(redis, together));
        turn.record("commands-a-write", (await count(redis, write)) / CALLS);
        turn.record("statements-a-write", (await count(postgres, write)) / CALLS);
        const from = performance.now();
        const refreshes = await count(postgres, async () => {
          while (performance.now() - from < watchMs) await node.get(id);
        });
        const periods = Math.ceil((performance.now() - from) / (STALENESS_MS / 2)) + 1;
        turn.record("statements-per-period", refreshes / periods);
      },
      [Symbol.asyncDispose]: () => node.close(),
    };
  },
});

/** Requests that went over the wire meanwhile. */
async function count(lease: Lease, work: () => Promise<unknown>): Promise<number> {
  const from = performance.timeOrigin + performance.now();
  await work();
  const said = lease
    .transcript()
    .filter(({ at, direction }) => at >= from && direction === "request");
  return said.length;
}
