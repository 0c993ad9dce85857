import type { Namespace, Namespaces, Server } from "./definition.ts";
import type { LeaseTemplate } from "./types.ts";

/** For engines that have one database only: a namespace is all of a server that is its lease's alone. */
export class WholeServer implements Namespaces {
  readonly #server: Server;
  readonly #isEmpty: () => Promise<boolean>;
  #built: Promise<void> | undefined;

  /** @param isEmpty whether nothing has been made in it yet */
  constructor(server: Server, isEmpty: () => Promise<boolean>) {
    this.#server = server;
    this.#isEmpty = isEmpty;
  }

  /** It may have started from a snapshot that has the template already. */
  prepare(template: LeaseTemplate): Promise<void> {
    this.#built ??= this.#isEmpty().then((empty) =>
      empty ? template.build(this.#server.adminUrl) : undefined,
    );
    return this.#built;
  }

  async take(template: LeaseTemplate | undefined): Promise<Namespace> {
    if (template) await this.prepare(template);
    const server = this.#server;
    return {
      name: "all of it",
      get adminUrl() {
        return server.adminUrl;
      },
      get url() {
        return server.adminUrl;
      },
      recreate: async () => {},
      release: async () => {},
    };
  }

  async reset(): Promise<void> {}

  async close(): Promise<void> {}
}
