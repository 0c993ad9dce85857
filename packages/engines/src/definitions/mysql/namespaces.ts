import { createPool, type Pool, type RowDataPacket } from "mysql2/promise";
import { password, type RunContext } from "../../context.ts";
import type { Databases } from "../../databases.ts";
import type { Server } from "../../definition.ts";
import { copyDatabase } from "./copy.ts";

/**
 * A namespace is a database, and two users who may do everything in it and nothing elsewhere: the
 * submission's, of the same name, and the grader's. The server's own administrator would be dangerous
 * there: views and functions with `SQL SECURITY INVOKER` run with the rights of who reads them.
 */
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
    for (const user of [name, administratorOf(name)]) {
      const secret = password(this.#context, user);
      await this.#query("CREATE USER IF NOT EXISTS ?@'%' IDENTIFIED BY ?", [user, secret]);
      // In the name of a database _ stands for any character.
      await this.#query("GRANT ALL ON ??.* TO ?@'%'", [name.replaceAll("_", "\\_"), user]);
    }
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
    await this.#query("DROP USER IF EXISTS ?@'%', ?@'%'", [name, administratorOf(name)]);
  }

  url(name: string): string {
    return this.#urlOf(name, name);
  }

  adminUrl(name: string): string {
    return this.#urlOf(name, administratorOf(name));
  }

  async close(): Promise<void> {
    await this.#pool?.end().catch(() => {});
  }

  #urlOf(database: string, user: string): string {
    const url = new URL(this.#server.adminUrl);
    url.pathname = `/${database}`;
    url.username = user;
    url.password = password(this.#context, user);
    return url.href;
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

function administratorOf(name: string): string {
  return `${name}_admin`;
}
