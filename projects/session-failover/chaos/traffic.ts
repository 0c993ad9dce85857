/** What goes over the wire between each node and each store: the only sign of which tier is in use. */
import type { ProxyTraffic } from "@db-katas/engines";
import type { Recorder } from "./calls.ts";
import type { Cluster } from "./cluster.ts";

export interface TrafficSample {
  /** Milliseconds since the run began: the end of the interval. */
  readonly at: number;
  readonly node: string;
  /** Bytes in both directions since the sample before. */
  readonly redis: number;
  readonly postgres: number;
  /** Bytes from Redis since the sample before: what was answered, as opposed to asked. */
  readonly redisAnswers: number;
}

export const SAMPLE_MS = 20;

export function sampleTraffic(
  { redis, postgres }: Cluster,
  nodes: readonly string[],
  recorder: Recorder,
): { stop(): TrafficSample[] } {
  const samples: TrafficSample[] = [];
  const look = (node: string) => ({
    redis: total(redis.traffic(node)),
    postgres: total(postgres.traffic(node)),
    redisAnswers: redis.traffic(node).bytesDown,
  });
  const last = new Map(nodes.map((node) => [node, look(node)]));
  const timer = setInterval(() => {
    for (const node of nodes) {
      const now = look(node);
      const before = last.get(node) ?? now;
      last.set(node, now);
      samples.push({
        at: recorder.now(),
        node,
        redis: now.redis - before.redis,
        postgres: now.postgres - before.postgres,
        redisAnswers: now.redisAnswers - before.redisAnswers,
      });
    }
  }, SAMPLE_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return samples;
    },
  };
}

function total({ bytesUp, bytesDown }: ProxyTraffic): number {
  return bytesUp + bytesDown;
}
