import { createHash } from "node:crypto";
import { claim, type Unclaim } from "./claim.ts";
import type { Namespace, Namespaces, Server } from "./definition.ts";
import { serverNotEmpty, serverTaken } from "./errors.ts";
import type { LeaseTemplate } from "./types.ts";

/** How long a lease waits for those before it, in milliseconds: a check may take a minute. */
const patience = 600_000;

/** What an engine can say of all that is in a server, and do with it. */
export interface Contents {
  /** Whether nothing has been made in it yet. */
  isEmpty(): Promise<boolean>;
  /** Makes it so. */
  clear(): Promise<void>;
}

/**
 * For engines that have one database only: a namespace is all of a server that is its lease's alone.
 * A server that goes on living has room for one lease at a time: others of the run wait, and those of
 * other runs of this machine are refused. What is there before is nobody's to delete, so that it must
 * be empty; what is there afterwards goes.
 */
export class WholeServer implements Namespaces {
  readonly #server: Server;
  readonly #contents: Contents;
  readonly #patienceMs: number;
  #built: Promise<void> | undefined;
  /** Resolves when whoever is in or waits has left. */
  #free: Promise<unknown> = Promise.resolve();
  /** Of the lease that is in. */
  #holds: { readonly unclaim: Unclaim; readonly next: () => void } | undefined;
  #closed = false;

  constructor(server: Server, contents: Contents, patienceMs = patience) {
    this.#server = server;
    this.#contents = contents;
    this.#patienceMs = patienceMs;
  }

  /** It may have started from a snapshot that has the template already. */
  prepare(template: LeaseTemplate): Promise<void> {
    this.#built ??= this.#contents
      .isEmpty()
      .then((empty) => (empty ? template.build(this.#server.adminUrl) : undefined));
    return this.#built;
  }

  async take(template: LeaseTemplate | undefined): Promise<Namespace> {
    const server = this.#server;
    await this.#enter();
    try {
      if (template) await this.prepare(template);
    } catch (error) {
      await this.#leave();
      throw error;
    }
    return {
      name: "all of it",
      get adminUrl() {
        return server.adminUrl;
      },
      get url() {
        return server.adminUrl;
      },
      recreate: async () => {},
      release: () => this.#leave(),
    };
  }

  reset(): Promise<void> {
    return this.#leave();
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.#leave();
  }

  async #enter(): Promise<void> {
    if (this.#server.isolated) return;
    const { source } = this.#server;
    const before = this.#free;
    const { promise, resolve: next } = Promise.withResolvers<void>();
    this.#free = before.then(() => promise);
    let unclaim: Unclaim | undefined;
    try {
      if (!(await inTime(before, this.#patienceMs)) || this.#closed)
        throw serverTaken(source, `another lease of this run`);
      unclaim = await claim(this.#name);
      if (!unclaim) throw serverTaken(source, "another run on this machine");
      if (!(await this.#contents.isEmpty())) throw serverNotEmpty(source);
      this.#holds = { unclaim, next };
    } catch (error) {
      await unclaim?.();
      next();
      throw error;
    }
  }

  async #leave(): Promise<void> {
    const held = this.#holds;
    if (!held) return;
    this.#holds = undefined;
    try {
      await this.#contents.clear();
    } finally {
      this.#built = undefined;
      await held.unclaim();
      held.next();
    }
  }

  /** The same for whoever means this server. */
  get #name(): string {
    const { hostname, port } = new URL(this.#server.adminUrl);
    const host = ["localhost", "[::1]"].includes(hostname) ? "127.0.0.1" : hostname;
    return createHash("sha256").update(`${host}:${port}`).digest("hex").slice(0, 16);
  }
}

async function inTime(awaited: Promise<unknown>, ms: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), ms);
  try {
    return await Promise.race([awaited.then(() => true), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
