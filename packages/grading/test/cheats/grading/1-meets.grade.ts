import { checksFor } from "../../../src/index.ts";
import type { Submission } from "../contract.ts";

export default checksFor<Submission>({})({
  title: "two nodes meet in Redis",
  points: 1,
  concept: "honesty",
  engines: { redis: {} },
  nodes: ["a", "b"],
  hints: ["Use the Redis that you are given."],
  async run(t) {
    const redis = t.lease("redis");
    const a = await t.start("a", { redis: await redis.urlFor("a") });
    const b = await t.start("b", { redis: await redis.urlFor("b") });
    const value = t.random.int(1_000, 1_000_000);
    await a.put(value);
    t.equal(await b.get(), value, "b knows what a put");
    t.ok(redis.traffic("b").bytesDown > 0, "it comes from Redis", {
      expected: "bytes from Redis to b",
      received: "none",
    });
  },
});
