import { defineExperiment } from "@db-katas/measure";
import { contenders } from "../bench/contenders.ts";
import { bothStores, openReaders } from "./readers.ts";

export default defineExperiment({
  title: "How many reads of sessions an application does with many requests at a time.",
  parameters: { sessions: { what: "sessions that are read in turn", full: 1_024, quick: 64 } },
  engines: bothStores,
  contenders: {
    node: { what: "our node" },
    ioredis: { what: "ioredis: GET and JSON.parse" },
    "connect-redis": { what: "connect-redis, behind a store's callbacks" },
  },
  load: { kind: "closed", clients: 32, ms: 200 },
  open: (stage) =>
    openReaders(stage, {
      node: contenders.node,
      ioredis: contenders.ioredis,
      "connect-redis": contenders.connectRedis,
    }),
});
