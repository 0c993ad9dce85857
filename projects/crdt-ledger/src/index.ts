/** The reference: a replica is a Loro document for each board; a server keeps what replicas made. */
import type { Submission } from "../contract.ts";
import { migrate } from "./migrate.ts";
import { startReplica } from "./replica/replica.ts";
import { startServer } from "./server/server.ts";

export default {
  migrate,
  async createNode(config) {
    return config.role === "replica" ? startReplica(config) : startServer(config);
  },
} satisfies Submission;
