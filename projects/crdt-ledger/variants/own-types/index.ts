/** Variant: operations on registers and sequences of its own; servers that lock a document's row to append. */
import type { Submission } from "../../contract.ts";
import { migrate } from "../../src/migrate.ts";
import { startReplica } from "./replica.ts";
import { startServer } from "./server.ts";

export default {
  migrate,
  async createNode(config) {
    return config.role === "replica" ? startReplica(config) : startServer(config);
  },
} satisfies Submission;
