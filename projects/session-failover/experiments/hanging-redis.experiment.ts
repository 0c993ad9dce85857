import { pause } from "@db-katas/engines/faults/pause";
import { defineExperiment } from "@db-katas/measure";
import { fillSessions, openNodeOn, untilUp } from "./node.ts";
import { bothStores } from "./readers.ts";

/** Of each request, as in the check `redis-hangs`. */
const BUDGET_MS = 400;

export default defineExperiment({
  title: "What a Redis that hangs costs reads of sessions, from the moment at which it stops.",
  parameters: { sessions: { what: "sessions that are read in turn", full: 256, quick: 64 } },
  engines: {
    ...bothStores,
    redis: { engine: "redis", isolation: "instance", needs: ["pause"] },
  },
  contenders: {
    healthy: { what: "Redis answers" },
    hanging: { what: "Redis is paused as the first read is sent" },
  },
  load: { kind: "open", perSecond: 200, ms: 500 },
  turns: 30,
  async open({ leases, parameters: { sessions = 1 } }) {
    const filling = await openNodeOn(leases);
    const ids = await fillSessions(filling, sessions);
    await filling.close();
    const node = await openNodeOn(leases, BUDGET_MS);
    return {
      async measure(contender, turn) {
        const fault = contender === "hanging" ? await leases.redis?.inject(pause) : undefined;
        try {
          const read = async (n: number) => {
            const found = await node.get(ids[n % sessions] ?? "");
            if (!found) throw new Error(`Session ${n % sessions} was not found.`);
          };
          await turn.load(read, { mayFail: true });
        } finally {
          await fault?.heal();
        }
        await untilUp(node);
      },
      [Symbol.asyncDispose]: () => node.close(),
    };
  },
});
