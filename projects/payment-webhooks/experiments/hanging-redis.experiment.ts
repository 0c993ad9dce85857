import { pause } from "@db-katas/engines/faults/pause";
import { defineExperiment } from "@db-katas/measure";
import { bothStores, leasesOf, migrate, openNode, payments, tell } from "./stage.ts";

/** Of a delivery, as in the checks that measure it. */
const BUDGET_MS = 1_500;

export default defineExperiment({
  title: "What a Redis that hangs costs deliveries, from the moment at which it stops.",
  parameters: {},
  engines: { ...bothStores, redis: { ...bothStores.redis, needs: ["pause"] } },
  contenders: {
    healthy: { what: "Redis answers" },
    hanging: { what: "Redis is paused as the first delivery is sent" },
  },
  load: { kind: "open", perSecond: 100, ms: 500 },
  turns: 30,
  async open(stage) {
    const { leases } = stage;
    const { redis } = leasesOf(leases);
    await migrate(leases);
    const node = await openNode(leases, { requestBudgetMs: BUDGET_MS });
    const next = payments(stage);
    /** The node has asked Redis, and heard from it. */
    const untilItUsesRedis = async () => {
      const { bytesDown } = redis.traffic("a");
      while (redis.traffic("a").bytesDown === bytesDown) await tell(node, next().authorized());
    };
    return {
      async measure(contender, turn) {
        await untilItUsesRedis();
        const fault = contender === "hanging" ? await redis.inject(pause) : undefined;
        try {
          await turn.load(() => tell(node, next().captured()), { mayFail: true });
        } finally {
          await fault?.heal();
        }
      },
      [Symbol.asyncDispose]: () => node.close(),
    };
  },
});
