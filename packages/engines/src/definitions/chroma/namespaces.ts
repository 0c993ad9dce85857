import { ask } from "../../ask.ts";
import type { Databases } from "../../databases.ts";
import type { Server } from "../../definition.ts";

const tenant = "default_tenant";
/** As many as the server takes at once (`max_batch_size` of its pre-flight checks is 5461). */
const page = 1_000;

interface Collection {
  readonly id: string;
  readonly name: string;
  readonly metadata: unknown;
  readonly configuration_json: unknown;
}

/** A namespace is a database; its address names it: `http://127.0.0.1:8000/?tenant=…&database=…`. */
export class ChromaDatabases implements Databases {
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  async create(name: string): Promise<void> {
    await this.#ask("POST", "", { name });
  }

  async exists(name: string): Promise<boolean> {
    const all = await this.#ask<{ name: string }[]>("GET", "");
    return all.some((database) => database.name === name);
  }

  /** Nothing copies a collection in a single server (`fork` is for clusters), so records are read and written. */
  async copy(from: string, to: string): Promise<void> {
    for (const { id, name, metadata, configuration_json } of await this.#collections(from)) {
      const made = await this.#ask<Collection>("POST", `/${to}/collections`, {
        name,
        metadata,
        configuration: configuration_json,
      });
      for (let offset = 0; ; offset += page) {
        const include = ["documents", "embeddings", "metadatas", "uris"];
        const { ids, embeddings, documents, metadatas, uris } = await this.#ask<
          { ids: string[] } & Record<string, unknown>
        >("POST", `/${from}/collections/${id}/get`, { limit: page, offset, include });
        if (ids.length === 0) break;
        await this.#ask("POST", `/${to}/collections/${made.id}/add`, {
          ids,
          embeddings,
          documents,
          metadatas,
          uris,
        });
      }
    }
  }

  /** Its collections first: a database that is deleted leaves them on disk. */
  async drop(name: string): Promise<void> {
    for (const collection of await this.#collections(name))
      await this.#ask("DELETE", `/${name}/collections/${encodeURIComponent(collection.name)}`);
    await this.#ask("DELETE", `/${name}`);
  }

  url(name: string): string {
    const url = new URL(this.#server.adminUrl);
    url.searchParams.set("tenant", tenant);
    url.searchParams.set("database", name);
    return url.href;
  }

  async close(): Promise<void> {}

  #collections(database: string): Promise<Collection[]> {
    return this.#ask("GET", `/${database}/collections`);
  }

  #ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const { adminUrl } = this.#server;
    return ask(adminUrl, method, `/api/v2/tenants/${tenant}/databases${path}`, body);
  }
}
