import pg from "pg";
import type { RunContext } from "../../context.ts";
import type { Namespace, Namespaces, Server } from "../../definition.ts";
import type { LeaseTemplate } from "../../types.ts";
import { at, PostgresNamespaces } from "../postgres/namespaces.ts";
import {
  administratorOf,
  closeToOthers,
  createAdministrator,
  type Login,
  ownerOf,
  type Query,
} from "../postgres/roles.ts";
import { databaseOf } from "./settings.ts";

/** Of which a server may have any number of databases; the others are for a server's owner. */
const divisible = ["hypopg", "vector"];
const extensions = [...divisible, "pg_cron", "pg_stat_statements"];
const plugins = "pgoutput, test_decoding, wal2json";

/** The namespaces of a server that all leases share. */
export async function openShared(server: Server, context: RunContext): Promise<Namespaces> {
  // pg_cron looks for it again and again, and is content with an empty one.
  const name = databaseOf(context);
  await asked(server, "postgres", async (admin) => {
    await admin.query(`CREATE DATABASE ${name}`);
    await admin.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
  });
  return new PostgresNamespaces(server, context, (admin) => extend(admin, divisible, "PUBLIC"));
}

/**
 * The one database of a server that is its lease's alone. It is never cloned: pg_cron works in the
 * database that it was told at its start, and jobs name theirs.
 */
export class OneDatabase implements Namespaces {
  readonly #server: Server;
  readonly #name: string;
  readonly #owner: Login;
  readonly #administrator: Login;
  #built: Promise<void> | undefined;

  constructor(server: Server, context: RunContext) {
    this.#server = server;
    this.#name = databaseOf(context);
    this.#owner = ownerOf(context, this.#name);
    this.#administrator = administratorOf(context, this.#owner);
  }

  prepare(template: LeaseTemplate): Promise<void> {
    this.#built ??= this.#build(template);
    return this.#built;
  }

  prepareEmpty(): Promise<void> {
    this.#built ??= this.#create();
    return this.#built;
  }

  async take(template: LeaseTemplate | undefined): Promise<Namespace> {
    await (template ? this.prepare(template) : this.prepareEmpty());
    const url = (login: Login) => at(this.#server.adminUrl, this.#name, login);
    const owner = this.#owner;
    const administrator = this.#administrator;
    return {
      name: this.#name,
      get adminUrl() {
        return url(administrator);
      },
      get url() {
        return url(owner);
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
    await template.build(at(this.#server.adminUrl, this.#name, this.#owner));
  }

  #exists(): Promise<boolean> {
    return asked(this.#server, "postgres", async (admin) => {
      const sought = await admin.query("SELECT FROM pg_database WHERE datname = $1", [this.#name]);
      return sought.rowCount === 1;
    });
  }

  async #create(): Promise<void> {
    const { name, password } = this.#owner;
    const administrator = this.#administrator;
    await asked(this.#server, "postgres", async (admin) => {
      await admin.query("REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC");
      await admin.query(
        `CREATE ROLE ${name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE REPLICATION PASSWORD '${password}'`,
      );
      const query = admin.query.bind(admin) as Query;
      await createAdministrator(query, administrator, this.#owner, "REPLICATION");
      await admin.query(`CREATE DATABASE ${this.#name} OWNER ${name}`);
      await admin.query(closeToOthers(this.#name, administrator));
      // Later minor versions load no other plugin than this names (17.11, 18.6); earlier ones don't know it.
      const known = await admin.query(
        "SELECT FROM pg_settings WHERE name = 'output_plugin_libraries'",
      );
      if (known.rowCount === 0) return;
      await admin.query(`ALTER SYSTEM SET output_plugin_libraries = ${plugins}`);
      await admin.query("SELECT pg_reload_conf()");
    });
    await asked(this.#server, this.#name, async (admin) => {
      await extend(admin, extensions, name);
      // The server is its alone, and so is all that happens on it.
      await admin.query(`GRANT pg_read_all_stats TO ${name}`);
      await admin.query(`GRANT EXECUTE ON FUNCTION pg_stat_statements_reset TO ${name}`);
      await admin.query(`GRANT USAGE ON SCHEMA cron TO ${name}`);
    });
  }
}

async function asked<T>(
  server: Server,
  database: string,
  work: (admin: pg.Client) => Promise<T>,
): Promise<T> {
  const admin = new pg.Client(at(server.adminUrl, database));
  admin.on("error", () => {});
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

/**
 * Makes extensions, which only a superuser may; migrations may then say CREATE EXTENSION IF NOT EXISTS.
 * @param names those that are on this machine
 * @param reader who may look at what HypoPG tells in views, as otherwise its maker alone
 */
async function extend(admin: pg.Client, names: readonly string[], reader: string): Promise<void> {
  const { rows: available } = await admin.query<{ name: string }>(
    "SELECT name FROM pg_available_extensions WHERE name = ANY ($1)",
    [names],
  );
  for (const { name } of available) await admin.query(`CREATE EXTENSION ${name}`);
  const { rows: views } = await admin.query<{ name: string }>(
    "SELECT objid::regclass AS name FROM pg_depend JOIN pg_extension e ON e.oid = refobjid WHERE extname = 'hypopg' AND classid = 'pg_class'::regclass",
  );
  for (const { name } of views) await admin.query(`GRANT SELECT ON ${name} TO ${reader}`);
}
