import { defineExperiment } from "@db-katas/measure";
import { Redis } from "ioredis";
import { fillSessions, openNodeOn } from "./node.ts";
import { bothStores } from "./readers.ts";

/** What it says doesn't vary with the machine: some turns are enough. */
const TURNS = 5;

export default defineExperiment({
  title: "How much memory Redis takes for sessions.",
  parameters: { sessions: { what: "sessions in Redis", full: 4_000, quick: 400 } },
  engines: bothStores,
  contenders: { node: { what: "our node, each session read once" } },
  metrics: {
    taken: { what: "used_memory beyond that of the empty server", kind: "value", unit: "B" },
    each: { what: "the same, for one session", kind: "value", unit: "B/session" },
  },
  turns: TURNS,
  warmUpTurns: 0,
  async open({ leases, parameters: { sessions = 1 } }) {
    await using opening = new AsyncDisposableStack();
    const redis = opening.adopt(new Redis(leases.redis?.adminUrl ?? ""), (each) =>
      each.disconnect(),
    );
    const node = opening.adopt(await openNodeOn(leases), (each) => each.close());
    const before = await usedMemory(redis);
    const ids = await fillSessions(node, sessions);
    for (const id of ids) await node.get(id);
    const opened = opening.move();
    return {
      async measure(_, turn) {
        const taken = (await usedMemory(redis)) - before;
        turn.record("taken", taken);
        turn.record("each", taken / sessions);
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  },
});

/** In bytes, without what the process takes itself: https://redis.io/docs/latest/commands/info/ */
async function usedMemory(redis: Redis): Promise<number> {
  const bytes = /^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1];
  if (!bytes) throw new Error("Redis doesn't tell used_memory.");
  return Number(bytes);
}
