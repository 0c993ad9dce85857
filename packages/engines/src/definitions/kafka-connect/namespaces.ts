import type { RunContext } from "../../context.ts";
import type { Namespace, Namespaces, Server } from "../../definition.ts";
import type { LeaseTemplate } from "../../types.ts";
import { ask, type Connector, connectorOf, namesOf, pathOf, Refusal } from "./rest.ts";

interface Built {
  readonly prefix: string;
  readonly connectors: readonly Connector[];
}

/** What templates have made, for all workers of a run. */
const templates = new WeakMap<RunContext, Map<string, Promise<Built>>>();

/**
 * A namespace is a prefix of connectors, the same as that of the topics in its lease on Kafka. Its
 * address names it: in `http://127.0.0.1:8083/?prefix=kata_1` they are called `kata_1.…`. Nothing
 * enforces it.
 *
 * A template is the connectors that it makes. Each further lease gets them made anew, with its own
 * prefix wherever theirs is part of a setting; they begin at the beginning.
 */
export class ConnectorNamespaces implements Namespaces {
  readonly #server: Server;
  readonly #templates: Map<string, Promise<Built>>;
  readonly #taken = new Set<string>();

  constructor(server: Server, context: RunContext) {
    this.#server = server;
    this.#templates = templates.get(context) ?? new Map();
    templates.set(context, this.#templates);
  }

  /** It is in no data of its server's. */
  async prepare(): Promise<void> {}

  async take(template: LeaseTemplate | undefined, prefix = ""): Promise<Namespace> {
    this.#taken.add(prefix);
    try {
      if (template) await this.#furnish(prefix, template);
    } catch (error) {
      await this.#remove(prefix);
      throw error;
    }
    const url = () => this.#url(prefix);
    return {
      name: prefix,
      get adminUrl() {
        return url();
      },
      get url() {
        return url();
      },
      recreate: async () => {},
      release: () => this.#remove(prefix),
    };
  }

  async reset(): Promise<void> {
    for (const prefix of this.#taken) await this.#remove(prefix);
    this.#templates.clear();
  }

  async close(): Promise<void> {}

  #url(prefix: string): string {
    const url = new URL(this.#server.adminUrl);
    url.searchParams.set("prefix", prefix);
    return url.href;
  }

  async #furnish(prefix: string, template: LeaseTemplate): Promise<void> {
    const known = this.#templates.get(template.key);
    if (!known) {
      const built = this.#build(prefix, template);
      this.#templates.set(template.key, built);
      built.catch(() => this.#templates.delete(template.key));
      await built;
      return;
    }
    const { prefix: from, connectors } = await known;
    for (const connector of connectors) {
      const named = JSON.stringify(connector).replaceAll(from, prefix);
      await ask(this.#server.adminUrl, "POST", "connectors", JSON.parse(named));
    }
  }

  async #build(prefix: string, template: LeaseTemplate): Promise<Built> {
    await template.build(this.#url(prefix));
    const url = this.#server.adminUrl;
    const names = await namesOf(url, prefix);
    return { prefix, connectors: await Promise.all(names.map((name) => connectorOf(url, name))) };
  }

  async #remove(prefix: string): Promise<void> {
    this.#taken.delete(prefix);
    // A worker of one lease ends with it, and so does its Kafka.
    if (this.#server.isolated) return;
    const url = this.#server.adminUrl;
    for (const name of await namesOf(url, prefix))
      await ask(url, "DELETE", pathOf(name)).catch((error) => {
        if (!(error instanceof Refusal && error.status === 404)) throw error;
      });
  }
}
