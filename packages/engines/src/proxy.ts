import { createServer, type Server, type Socket } from "node:net";
import { type Audience, Hearing } from "./hearing.ts";
import { Link, type Upstream } from "./link.ts";
import type { Readdress } from "./readdress.ts";
import type { NodeName, ProxyTraffic } from "./types.ts";

export interface Delay {
  readonly ms: number;
  readonly jitterMs?: number;
}

/**
 * One address for one app node, unchanged while the server behind it comes and goes. What happens
 * to one side happens to the other: an end of stream, a reset, a slow reader.
 */
export class TcpProxy {
  readonly node: NodeName;
  readonly #upstream: () => Upstream;
  readonly #audience: Audience | undefined;
  readonly #readdress: Readdress | undefined;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  readonly #delays = new Set<Delay>();
  readonly #holes = new Set<symbol>();
  #connections = 0;
  #bytesUp = 0;
  #bytesDown = 0;

  private constructor(
    node: NodeName,
    upstream: () => Upstream,
    audience: Audience | undefined,
    server = createServer(),
    readdress?: Readdress,
  ) {
    this.node = node;
    this.#upstream = upstream;
    this.#audience = audience;
    this.#readdress = readdress;
    this.#server = server;
    server.on("connection", (client) => {
      client.allowHalfOpen = true;
      client.setNoDelay(true);
      this.#accept(client);
    });
  }

  /**
   * @param upstream asked at each connection: a restart may change the server's port
   * @param audience who follows the messages; without one, bytes pass unread
   * @param readdress for servers that tell clients where to connect
   */
  static async listen(
    node: NodeName,
    upstream: () => Upstream,
    audience?: Audience,
    readdress?: Readdress,
  ): Promise<TcpProxy> {
    const proxy = new TcpProxy(node, upstream, audience, createServer(), readdress);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(0, "127.0.0.1", resolve);
    });
    proxy.#server.unref();
    return proxy;
  }

  /** Serves a socket that listens already, for instance in a network namespace that isn't ours. */
  static through(server: Server, upstream: { host: string; port: number }): TcpProxy {
    const proxy = new TcpProxy("door", () => upstream, undefined, server);
    server.unref();
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("this proxy is closed");
    return address.port;
  }

  get traffic(): ProxyTraffic {
    return {
      connections: this.#connections,
      open: this.#links.size,
      bytesUp: this.#bytesUp,
      bytesDown: this.#bytesDown,
    };
  }

  /** Delays add up. @returns how to take this one away again */
  delay(delay: Delay): () => void {
    this.#delays.add(delay);
    return () => {
      if (this.#delays.delete(delay)) for (const link of this.#links) link.hurry();
    };
  }

  /** @returns how to take it away; connections that have lost bytes by then are reset. */
  blackHole(): () => void {
    const hole = Symbol("black hole");
    this.#holes.add(hole);
    return () => {
      this.#holes.delete(hole);
      if (this.#holes.size === 0)
        for (const link of [...this.#links]) if (link.damaged) link.reset();
    };
  }

  resetConnections(): void {
    for (const link of [...this.#links]) link.reset();
  }

  async close(): Promise<void> {
    this.resetConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    this.#connections += 1;
    const upstream = this.#upstream();
    const connection = this.#connections;
    const link: Link = new Link(
      client,
      upstream,
      {
        swallows: () => this.#holes.size > 0,
        delayMs: () => {
          let sum = 0;
          for (const { ms, jitterMs = 0 } of this.#delays)
            sum += ms + (Math.random() * 2 - 1) * jitterMs;
          return Math.max(0, sum);
        },
        sent: (direction, bytes) => {
          if (direction === "up") this.#bytesUp += bytes;
          else this.#bytesDown += bytes;
        },
        closed: () => this.#links.delete(link),
      },
      this.#audience &&
        new Hearing(this.#audience, this.node, connection, {
          ship: () => link.ship(),
          reset: () => link.reset(),
        }),
      "port" in upstream ? this.#readdress?.(upstream.port, this.port) : undefined,
    );
    this.#links.add(link);
  }
}
