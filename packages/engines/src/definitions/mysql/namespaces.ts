import { createPool, type Pool, type RowDataPacket } from "mysql2/promise";
import { password, type RunContext } from "../../context.ts";
import type { Databases } from "../../databases.ts";
import type { Server } from "../../definition.ts";
import { copyDatabase } from "./copy.ts";

/** A namespace is a database, and a user of the same name who may do everything in it and nothing elsewhere. */
export class MysqlDatabases implements Databases {
  readonly #server: Server;
  readonly #context: RunContext;
  readonly #copy: typeof copyDatabase;
  #pool: Pool | undefined;
  #poolUrl = "";

  /** @param copy how a database is copied, where it has what others don't */
  constructor(server: Server, context: RunContext, copy = copyDatabase) {
    this.#server = server;
    this.#context = context;
    this.#copy = copy;
  }

  async create(name: string): Promise<void> {
    await this.#query("CREATE DATABASE ??", [name]);
    const secret = password(this.#context, name);
    await this.#query("CREATE USER IF NOT EXISTS ?@'%' IDENTIFIED BY ?", [name, secret]);
    // In the name of a database _ stands for any character.
    await this.#query("GRANT ALL ON ??.* TO ?@'%'", [name.replaceAll("_", "\\_"), name]);
  }

  async exists(name: string): Promise<boolean> {
    const tables = "SELECT 1 FROM information_schema.tables WHERE table_schema = ? LIMIT 1";
    return (await this.#query(tables, [name])).length > 0;
  }

  async copy(from: string, to: string): Promise<void> {
    const client = await this.#connected().getConnection();
    try {
      await this.#copy(client, from, to);
    } finally {
      // What it has set was for this alone.
      client.destroy();
    }
  }

  async drop(name: string): Promise<void> {
    await this.#query("DROP DATABASE IF EXISTS ??", [name]);
    await this.#query("DROP USER IF EXISTS ?@'%'", [name]);
  }

  url(name: string): string {
    const url = new URL(this.adminUrl(name));
    url.username = name;
    url.password = password(this.#context, name);
    return url.href;
  }

  adminUrl(name: string): string {
    const url = new URL(this.#server.adminUrl);
    url.pathname = `/${name}`;
    return url.href;
  }

  async close(): Promise<void> {
    await this.#pool?.end().catch(() => {});
  }

  async #query(statement: string, values: readonly string[]): Promise<RowDataPacket[]> {
    const [rows] = await this.#connected().query<RowDataPacket[]>(statement, [...values]);
    return rows;
  }

  #connected(): Pool {
    // A restart may have changed the server's port.
    if (!this.#pool || this.#poolUrl !== this.#server.adminUrl) {
      this.#pool?.end().catch(() => {});
      this.#poolUrl = this.#server.adminUrl;
      this.#pool = createPool({ uri: this.#poolUrl, connectionLimit: 4 });
    }
    return this.#pool;
  }
}
