/** The service on a port: sessions, health and metrics, with an orderly end. */
import type { AddressInfo } from "node:net";
import fastify from "fastify";
import { Registry } from "prom-client";
import { measured } from "../metrics.ts";
import type { Node } from "../open.ts";
import { health } from "./health.ts";
import { type ServiceOptions, service } from "./service.ts";
import { endGracefully } from "./shutdown.ts";

export interface ServerOptions extends Omit<ServiceOptions, "node"> {
  /** Belongs to the server from here on, which closes it. */
  readonly node: Node;
  /** Default 127.0.0.1. Metrics and health are served there too: put a proxy in front of it. */
  readonly host?: string;
  /** Default 0: any free one. */
  readonly port?: number;
  /** How long requests under way may take when the server ends, in milliseconds. Default 10 s. */
  readonly endMs?: number;
}

export interface Server {
  readonly url: string;
  /** Finishes what is under way. @returns whether that was done in time */
  close(): Promise<boolean>;
}

export async function startServer(options: ServerOptions): Promise<Server> {
  const { host = "127.0.0.1", port = 0, endMs = 10_000 } = options;
  const registry = new Registry();
  const node = measured(options.node, registry);
  let ended: Promise<boolean> | undefined;
  const app = fastify({ forceCloseConnections: "idle", return503OnClosing: false });
  await app.register(health, { node, ending: () => ended !== undefined });
  await app.register(service, { ...options, node });
  app.get("/metrics", async (_, reply) => {
    reply.type(registry.contentType);
    return await registry.metrics();
  });
  await app.listen({ host, port });
  const address = app.server.address() as AddressInfo;
  return {
    url: `http://${host}:${address.port}`,
    close() {
      ended ??= endGracefully({ app, closeStores: () => node.close(), deadlineMs: endMs });
      return ended;
    },
  };
}
