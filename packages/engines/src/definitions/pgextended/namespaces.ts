import pg from "pg";
import { password, type RunContext } from "../../context.ts";
import type { Namespace, Namespaces, Server } from "../../definition.ts";
import type { LeaseTemplate } from "../../types.ts";
import { at } from "../postgres/namespaces.ts";
import { databaseOf } from "./settings.ts";

const plugins = "pgoutput, test_decoding, wal2json";

/**
 * The one database of a server that is its lease's alone. It is never cloned: pg_cron works in the
 * database that it was told at its start, and jobs name theirs.
 */
export class OneDatabase implements Namespaces {
  readonly #server: Server;
  readonly #name: string;
  readonly #role: { readonly name: string; readonly password: string };
  #built: Promise<void> | undefined;

  constructor(server: Server, context: RunContext) {
    this.#server = server;
    this.#name = databaseOf(context);
    this.#role = { name: this.#name, password: password(context, this.#name) };
  }

  prepare(template: LeaseTemplate): Promise<void> {
    this.#built ??= this.#build(template);
    return this.#built;
  }

  async take(template: LeaseTemplate | undefined): Promise<Namespace> {
    await (template ? this.prepare(template) : this.#create());
    const url = (role?: { name: string; password: string }) =>
      at(this.#server.adminUrl, this.#name, role);
    const role = this.#role;
    return {
      name: this.#name,
      get adminUrl() {
        return url();
      },
      get url() {
        return url(role);
      },
      recreate: () => this.#create(),
      release: async () => {},
    };
  }

  async reset(): Promise<void> {}

  async close(): Promise<void> {}

  async #build(template: LeaseTemplate): Promise<void> {
    // It may have started from a snapshot that has the template already.
    if (await this.#exists()) return;
    await this.#create();
    await template.build(at(this.#server.adminUrl, this.#name, this.#role));
  }

  #exists(): Promise<boolean> {
    return this.#asked("postgres", async (admin) => {
      const sought = await admin.query("SELECT FROM pg_database WHERE datname = $1", [this.#name]);
      return sought.rowCount === 1;
    });
  }

  async #create(): Promise<void> {
    const { name, password } = this.#role;
    await this.#asked("postgres", async (admin) => {
      await admin.query("REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC");
      await admin.query(
        `CREATE ROLE ${name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE REPLICATION PASSWORD '${password}'`,
      );
      await admin.query(`CREATE DATABASE ${this.#name} OWNER ${name}`);
      await admin.query(`REVOKE ALL ON DATABASE ${this.#name} FROM PUBLIC`);
      // Later minor versions load no other plugin than this names (17.11, 18.6); earlier ones don't know it.
      const known = await admin.query(
        "SELECT FROM pg_settings WHERE name = 'output_plugin_libraries'",
      );
      if (known.rowCount === 0) return;
      await admin.query(`ALTER SYSTEM SET output_plugin_libraries = ${plugins}`);
      await admin.query("SELECT pg_reload_conf()");
    });
    await this.#asked(this.#name, async (admin) => {
      const { rows } = await admin.query<{ name: string }>(
        "SELECT name FROM pg_available_extensions WHERE name IN ('hypopg', 'pg_cron', 'vector')",
      );
      // Only a superuser may; afterwards migrations may say CREATE EXTENSION IF NOT EXISTS.
      for (const extension of rows) await admin.query(`CREATE EXTENSION ${extension.name}`);
      await admin.query(`GRANT USAGE ON SCHEMA cron TO ${name}`);
    });
  }

  async #asked<T>(database: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
    const admin = new pg.Client(at(this.#server.adminUrl, database));
    admin.on("error", () => {});
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.end();
    }
  }
}
