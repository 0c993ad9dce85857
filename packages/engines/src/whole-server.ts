import type { Namespace, Namespaces, Server } from "./definition.ts";
import { serverNotEmpty, serverTaken } from "./errors.ts";
import type { LeaseTemplate } from "./types.ts";

/** What an engine can say of all that is in a server, and do with it. */
export interface Contents {
  /** Whether nothing has been made in it yet. */
  isEmpty(): Promise<boolean>;
  /** Makes it so. */
  clear(): Promise<void>;
}

/**
 * For engines that have one database only: a namespace is all of a server that is its lease's alone.
 * A server that goes on living has room for one lease at a time. What is there before is nobody's to
 * delete, so that it must be empty; what is there afterwards goes.
 */
export class WholeServer implements Namespaces {
  readonly #server: Server;
  readonly #contents: Contents;
  #built: Promise<void> | undefined;
  #taken = false;

  constructor(server: Server, contents: Contents) {
    this.#server = server;
    this.#contents = contents;
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
    return this.#leave();
  }

  async #enter(): Promise<void> {
    if (this.#server.isolated) return;
    if (this.#taken) throw serverTaken(this.#server.source);
    this.#taken = true;
    if (await this.#contents.isEmpty()) return;
    this.#taken = false;
    throw serverNotEmpty(this.#server.source);
  }

  async #leave(): Promise<void> {
    if (!this.#taken) return;
    await this.#contents.clear();
    this.#built = undefined;
    this.#taken = false;
  }
}
