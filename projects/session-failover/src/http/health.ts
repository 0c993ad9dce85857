/** Liveness and readiness, as an orchestrator asks for them. */
import type { FastifyPluginAsync } from "fastify";
import type { Operable } from "../telemetry.ts";

export interface HealthOptions {
  readonly node: Operable;
  /** Whether the process is on its way out: it still answers, and wants no more traffic. */
  readonly ending: () => boolean;
}

/**
 * - `/health/live`: the process answers. It never asks a store: restarting every app because a
 *   database is away would only add to the trouble.
 * - `/health/ready`: 200 `ok`; 200 `degraded` while Redis is away, because PostgreSQL can do it all;
 *   503 `unavailable` when PostgreSQL doesn't answer within the budget, and 503 `ending`.
 */
export const health: FastifyPluginAsync<HealthOptions> = async (app, { node, ending }) => {
  app.get("/health/live", async () => ({ status: "ok" }));
  app.get("/health/ready", async (_, reply) => {
    const { redis } = node.status();
    if (ending()) return await reply.code(503).send({ status: "ending", redis });
    try {
      await node.check();
    } catch {
      return await reply.code(503).send({ status: "unavailable", redis });
    }
    return { status: redis === "down" ? "degraded" : "ok", redis };
  });
};
