/**
 * Variant: Redis holds the data, PostgreSQL decides on each read.
 *
 * Differs: every read asks PostgreSQL for the row without its data (is it alive, which version) and,
 * at the same time, Redis for data and version. Equal versions: the data from Redis is used. If not,
 * the data is read from PostgreSQL. No fences, no epoch, no run_id; plain GET and SET; raw `pg`.
 *
 * Why it is right: an id and a version together name one value for ever, so a copy with the right
 * version is right no matter how it got there: late, replayed, or from before a restart. Whether the
 * session lives is never asked of Redis, so nothing can be resurrected. The price is a PostgreSQL
 * round trip per read: what Redis saves is only the transfer of large data.
 */
import type { Submission } from "../../contract.ts";
import postgresOnly from "../postgres-only/index.ts";
import { VersionCheckNode } from "./node.ts";

export default {
  migrate: postgresOnly.migrate,
  async createNode(config) {
    if (config.stores.kind === "local") return await postgresOnly.createNode(config);
    return new VersionCheckNode(config, config.stores);
  },
} satisfies Submission;
