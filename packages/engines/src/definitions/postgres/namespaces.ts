import { createHash } from "node:crypto";
import pg from "pg";
import { databaseName, type RunContext } from "../../context.ts";
import type { Namespace, Namespaces, Server } from "../../definition.ts";
import { Pool } from "../../pool.ts";
import type { LeaseTemplate } from "../../types.ts";
import {
  administratorOf,
  closeToOthers,
  createAdministrator,
  type Login,
  ownerOf,
} from "./roles.ts";

/** Clones kept ready per template of a shared server. */
const poolSize = 4;
/** Nobody can be in it. In `template1` TimescaleDB's launcher is at times, and then it can't be cloned. */
const pristine = "template0";
/** How long somebody who reads the log of changes may take to end, in milliseconds. */
const readersEndMs = 5_000;
const noTemplate: LeaseTemplate = { key: "", build: async () => {} };

interface Template {
  readonly database: string;
  readonly owner: Login;
  /** Undefined on a server of the user's who lets us make none: then it is who we are there. */
  readonly administrator: Login | undefined;
  readonly clones: Pool<string>;
}

/** A namespace is a database, cloned from one that the caller's migrations have prepared. */
export class PostgresNamespaces implements Namespaces {
  readonly #server: Server;
  readonly #context: RunContext;
  readonly #extend: ((admin: pg.Client) => Promise<void>) | undefined;
  readonly #templates = new Map<string, Promise<Template>>();
  #dropping: Promise<void> = Promise.resolve();
  readonly #databases = new Set<string>();
  #admin: pg.Pool | undefined;
  #adminUrl = "";
  #strategy: Promise<string> | undefined;
  #closed: Promise<unknown> | undefined;
  #closing = false;

  /** @param extend makes what every namespace has and it takes a superuser to make, in an empty one */
  constructor(server: Server, context: RunContext, extend?: (admin: pg.Client) => Promise<void>) {
    this.#server = server;
    this.#context = context;
    this.#extend = extend;
  }

  async prepare(template: LeaseTemplate): Promise<void> {
    await this.#template(template);
  }

  async take(wanted: LeaseTemplate = noTemplate): Promise<Namespace> {
    const template = await this.#template(wanted);
    const name = await template.clones.take();
    const server = this.#server;
    const { owner, administrator } = template;
    return {
      name,
      get adminUrl() {
        return at(server.adminUrl, name, administrator);
      },
      get url() {
        return at(server.adminUrl, name, owner);
      },
      recreate: async () => {
        this.#templates.delete(wanted.key);
        this.#closed = undefined;
        await this.#createRoles(template);
        await this.#createDatabase(name, pristine, template);
      },
      release: async () => this.#drop(name),
    };
  }

  async reset(): Promise<void> {
    const templates = await this.#settle();
    this.#templates.clear();
    for (const name of [...this.#databases]) await this.#dropNow(name);
    for (const template of templates) await this.#dropRoles(template);
  }

  async close(): Promise<void> {
    this.#closing = true;
    // What is ours to stop vanishes with its data folder, clones under way included; only a server
    // that goes on living is tidied.
    if (this.#server.provider === "external") await this.reset();
    else
      for (const template of this.#templates.values())
        template.then(({ clones }) => clones.close()).catch(() => {});
    const ended = this.#admin?.end().catch(() => {});
    if (this.#server.provider === "external") await ended;
  }

  #template(wanted: LeaseTemplate): Promise<Template> {
    let template = this.#templates.get(wanted.key);
    if (!template) {
      template = this.#build(wanted);
      this.#templates.set(wanted.key, template);
      template.catch(() => this.#templates.delete(wanted.key));
    }
    return template;
  }

  async #build(wanted: LeaseTemplate): Promise<Template> {
    const digest = createHash("sha256").update(wanted.key).digest("hex").slice(0, 10);
    const owner = ownerOf(this.#context, `kata_${this.#context.id}_${digest}`);
    const template: Template = {
      database: `${owner.name}_template`,
      owner,
      administrator: (await this.#isSuperuser())
        ? administratorOf(this.#context, owner)
        : undefined,
      clones: new Pool(() => this.#clone(template), this.#server.isolated ? 0 : poolSize),
    };
    const { database } = template;
    const known = await this.#query("SELECT FROM pg_database WHERE datname = $1", [database]);
    // A private server may have started from a snapshot that has the template already.
    if (known.rowCount) return template;
    await this.#createRoles(template);
    try {
      await this.#createDatabase(database, pristine, template);
      await wanted.build(at(this.#server.adminUrl, database, owner));
      await this.#query(`ALTER DATABASE ${database} WITH ALLOW_CONNECTIONS false`);
      await this.#disconnect(database);
    } catch (error) {
      await this.#dropNow(database).catch(() => {});
      await this.#dropRoles(template).catch(() => {});
      throw error;
    }
    return template;
  }

  /** On a server of the user's it is who its URL says. */
  async #isSuperuser(): Promise<boolean> {
    if (this.#server.provider !== "external") return true;
    const { rows } = await this.#query(
      "SELECT rolsuper FROM pg_roles WHERE rolname = current_user",
    );
    return rows[0]?.rolsuper === true;
  }

  /** A database can be cloned only while nobody is connected, and the builder's connection may still be closing. */
  async #disconnect(database: string): Promise<void> {
    for (;;) {
      const { rowCount } = await this.#query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
        [database],
      );
      if (!rowCount) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async #createRoles({ owner, administrator }: Template): Promise<void> {
    // Anybody may enter these by default, and leave something there.
    if (this.#server.provider !== "external") {
      this.#closed ??= this.#query("REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC");
      await this.#closed;
    }
    await this.#query(
      `CREATE ROLE ${owner.name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD '${owner.password}'`,
    );
    if (administrator) {
      await createAdministrator(this.#query.bind(this), administrator, owner);
    } else {
      // Whoever isn't a superuser must be a member of a role to make it an owner.
      await this.#query(`GRANT ${owner.name} TO CURRENT_USER`);
    }
  }

  async #dropRoles({ owner, administrator }: Template): Promise<void> {
    if (administrator) await this.#query(`DROP ROLE IF EXISTS ${administrator.name}`);
    await this.#query(`DROP ROLE IF EXISTS ${owner.name}`);
  }

  async #createDatabase(
    name: string,
    from: string,
    { owner, administrator }: Template,
  ): Promise<void> {
    this.#databases.add(name);
    this.#strategy ??= this.#cheapestStrategy();
    const strategy = await this.#strategy;
    await this.#query(`CREATE DATABASE ${name} TEMPLATE ${from} OWNER ${owner.name} ${strategy}`);
    await this.#query(closeToOthers(name, administrator));
    // A clone has what its template has.
    if (from === pristine) await this.#extended(name);
  }

  async #extended(database: string): Promise<void> {
    if (!this.#extend) return;
    const client = new pg.Client({ connectionString: at(this.#server.adminUrl, database) });
    await client.connect();
    try {
      await this.#extend(client);
    } finally {
      await client.end();
    }
  }

  /**
   * Where PostgreSQL leaves copying to the operating system (`file_copy_method`, from 18 on), that
   * takes less time than writing each page through the log.
   */
  async #cheapestStrategy(): Promise<string> {
    const { rows } = await this.#query(
      "SELECT current_setting('file_copy_method', true) AS method",
    );
    return rows[0]?.method === "clone" ? "STRATEGY file_copy" : "";
  }

  async #clone(template: Template): Promise<string> {
    const name = databaseName(this.#context);
    await this.#createDatabase(name, template.database, template);
    return name;
  }

  /** In the background and one after another: a drop waits for a checkpoint, and leases come first. */
  #drop(name: string): void {
    // A private server is about to end, with all that is in it.
    if (this.#server.isolated || this.#closing) return;
    this.#dropping = this.#dropping.then(() => this.#dropNow(name)).catch(() => {});
  }

  async #dropNow(name: string): Promise<void> {
    // Its force ends whoever is in, but not who reads the log of changes there.
    await this.#query(
      `SELECT pg_terminate_backend(active_pid, ${readersEndMs})
         FROM pg_replication_slots WHERE active AND database = $1`,
      [name],
    );
    await this.#query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    this.#databases.delete(name);
  }

  /** @returns the templates that were built; their pools are at rest. */
  async #settle(): Promise<Template[]> {
    const settled = await Promise.allSettled(this.#templates.values());
    const templates = settled.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    await Promise.all(templates.map(({ clones }) => clones.close()));
    await this.#dropping;
    return templates;
  }

  #query(text: string, values: unknown[] = []): Promise<pg.QueryResult> {
    // A restart may have changed the server's port.
    if (!this.#admin || this.#adminUrl !== this.#server.adminUrl) {
      this.#admin?.end().catch(() => {});
      this.#adminUrl = this.#server.adminUrl;
      this.#admin = new pg.Pool({
        connectionString: this.#adminUrl,
        max: 4,
        allowExitOnIdle: true,
      });
      // A killed server takes idle connections with it; the pool opens others.
      this.#admin.on("error", () => {});
    }
    return this.#admin.query(text, values);
  }
}

/** For namespaces that have one extension. */
export function having(extension: string): (admin: pg.Client) => Promise<void> {
  return async (admin) => {
    await admin.query(`CREATE EXTENSION IF NOT EXISTS ${extension}`);
  };
}

/** A database's address; the server's administrator's, where no login is given. */
export function at(adminUrl: string, database: string, login?: Login): string {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  if (login) {
    url.username = login.name;
    url.password = login.password;
  }
  return url.href;
}
