import { Redis } from "ioredis";
import type { Submission } from "../contract.ts";

export default {
  async createNode({ redis }) {
    const client = new Redis(redis);
    return {
      async put(value) {
        await client.set("value", value);
      },
      get: async () => Number(await client.get("value")),
      answer: async () => Number(await client.get("answer")),
    };
  },
} satisfies Submission;
