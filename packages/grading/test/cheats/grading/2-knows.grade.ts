import { Redis } from "ioredis";
import { checksFor } from "../../../src/index.ts";
import type { Submission } from "../contract.ts";

const ANSWER = 4711;

export default checksFor<Submission>({})({
  title: "a node tells what is in Redis",
  points: 1,
  concept: "honesty",
  engines: { redis: {} },
  nodes: ["a"],
  hints: ["Use the Redis that you are given."],
  async run(t) {
    const admin = new Redis(t.lease("redis").adminUrl);
    try {
      await admin.set("answer", ANSWER);
    } finally {
      admin.disconnect();
    }
    const a = await t.start("a", { redis: await t.lease("redis").urlFor("a") });
    t.equal(await a.answer(), ANSWER, "it is the number that lies there");
  },
});
