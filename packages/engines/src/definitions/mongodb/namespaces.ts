import { type Db, type IndexDescription, MongoClient } from "mongodb";
import type { Databases } from "../../databases.ts";
import type { Server } from "../../definition.ts";

const batch = 1_000;

/** A namespace is a database. */
export class MongoDatabases implements Databases {
  readonly #server: Server;
  #client: MongoClient | undefined;
  #adminUrl = "";

  constructor(server: Server) {
    this.#server = server;
  }

  /** One comes into being with its first document. */
  async create(): Promise<void> {}

  async exists(name: string): Promise<boolean> {
    const { databases } = await this.#database("admin").admin().listDatabases({ nameOnly: true });
    return databases.some((database) => database.name === name);
  }

  async copy(from: string, to: string): Promise<void> {
    const [source, target] = [this.#database(from), this.#database(to)];
    for (const { name, options } of await source
      .listCollections({}, { nameOnly: false })
      .toArray()) {
      const copied = await target.createCollection(name, options ?? {});
      const indexes = await source.collection(name).indexes();
      const further = indexes.filter((index) => index.name !== "_id_");
      if (further.length > 0)
        await copied.createIndexes(further.map(({ v: _, ...index }) => index as IndexDescription));
      const documents = await source.collection(name).find().toArray();
      for (let start = 0; start < documents.length; start += batch)
        await copied.insertMany(documents.slice(start, start + batch));
    }
  }

  async drop(name: string): Promise<void> {
    await this.#database(name).dropDatabase();
  }

  /**
   * Writes are acknowledged once they are in the journal, which mongod otherwise writes ten times a
   * second: what was acknowledged shall survive `kill`.
   */
  url(name: string): string {
    const url = new URL(this.#server.adminUrl);
    url.pathname = `/${name}`;
    url.searchParams.set("journal", "true");
    return url.href;
  }

  async close(): Promise<void> {
    await this.#client?.close(true);
  }

  #database(name: string): Db {
    // A restart may have changed the server's port.
    if (!this.#client || this.#adminUrl !== this.#server.adminUrl) {
      this.#client?.close(true).catch(() => {});
      this.#adminUrl = this.#server.adminUrl;
      this.#client = new MongoClient(this.#adminUrl, { maxPoolSize: 4 });
    }
    return this.#client.db(name);
  }
}
