/** Variant: a replica is an Automerge document; servers take turns by an advisory lock for each board. */
import type { Submission } from "../../contract.ts";
import { startReplica } from "./replica.ts";
import { migrate } from "./schema.ts";
import { startServer } from "./server.ts";

export default {
  migrate,
  async createNode(config) {
    return config.role === "replica" ? startReplica(config) : startServer(config);
  },
} satisfies Submission;
