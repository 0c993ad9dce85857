import { defineExperiment } from "@db-katas/measure";
import { contenders } from "../bench/contenders.ts";
import { bothStores, openReaders } from "./readers.ts";

export default defineExperiment({
  title:
    "How long one read of a session takes, one after the other, on the machine of its servers.",
  parameters: { sessions: { what: "sessions that are read in turn", full: 1_024, quick: 64 } },
  engines: bothStores,
  contenders: {
    redis: { what: "ioredis: GET and JSON.parse" },
    postgres: { what: "connect-pg-simple: SELECT by primary key" },
  },
  load: { kind: "closed", clients: 1, ms: 200 },
  open: (stage) =>
    openReaders(stage, { redis: contenders.ioredis, postgres: contenders.connectPgSimple }),
});
