import type { Redis } from "ioredis";
import { password, type RunContext } from "../../context.ts";
import type { Namespace, Namespaces, Server } from "../../definition.ts";
import { EngineError } from "../../errors.ts";
import type { LeaseTemplate } from "../../types.ts";
import { connect } from "./client.ts";
import { appName, appRules, confinedTo } from "./settings.ts";

/** After a crash a booking ends by itself; what lies in that database keeps it from being dealt out. */
const bookingSeconds = 6 * 3_600;

interface Role {
  readonly name: string;
  readonly password: string;
}

/** A namespace is a database number. */
export class RedisNamespaces implements Namespaces {
  readonly #server: Server;
  readonly #context: RunContext;
  readonly #templates = new Map<string, Promise<number>>();
  readonly #background = new Set<Promise<void>>();
  #admin: Promise<Redis> | undefined;
  #free: Promise<number[]> | undefined;
  #bookkeeping = 0;
  readonly #roles = new Map<number, Promise<Role>>();

  constructor(server: Server, context: RunContext) {
    this.#server = server;
    this.#context = context;
  }

  async prepare(template: LeaseTemplate): Promise<void> {
    await this.#template(template);
  }

  async take(wanted?: LeaseTemplate): Promise<Namespace> {
    const source = wanted && (await this.#template(wanted));
    const database = await this.#claim();
    if (source !== undefined) await this.#copy(source, database);
    const server = this.#server;
    const role = await this.#role(database);
    return {
      name: String(database),
      get adminUrl() {
        return at(server.adminUrl, database);
      },
      get url() {
        return at(server.adminUrl, database, role);
      },
      recreate: async () => {
        this.#templates.clear();
      },
      release: async () => this.#release(database),
    };
  }

  async reset(): Promise<void> {
    this.#templates.clear();
    await this.#settle();
    if (this.#server.provider === "external") return;
    await (await this.#client()).flushall();
    this.#free = undefined;
  }

  async close(): Promise<void> {
    // One of ours ends now, or has died: nobody need wait for what is to be emptied on it.
    if (this.#server.provider === "external") {
      await this.#settle();
      for (const database of await Promise.allSettled(this.#templates.values())) {
        if (database.status !== "fulfilled") continue;
        await this.#flush(database.value);
        await this.#unbook(database.value);
      }
      for (const database of [...this.#roles.keys()]) await this.#dismiss(database);
    }
    const admin = await this.#admin?.catch(() => undefined);
    admin?.disconnect();
  }

  #template(wanted: LeaseTemplate): Promise<number> {
    let template = this.#templates.get(wanted.key);
    if (!template) {
      template = this.#build(wanted);
      this.#templates.set(wanted.key, template);
      template.catch(() => this.#templates.delete(wanted.key));
    }
    return template;
  }

  async #build(wanted: LeaseTemplate): Promise<number> {
    const database = await this.#claim();
    // A private server may have started from a snapshot that has the template already.
    if (this.#server.isolated && (await (await this.#client()).dbsize()) > 0) return database;
    try {
      await wanted.build(at(this.#server.adminUrl, database, await this.#role(database)));
      return database;
    } catch (error) {
      this.#release(database);
      throw error;
    }
  }

  async #copy(from: number, to: number): Promise<void> {
    // A client of its own: SELECT belongs to the connection.
    const client = await connect(at(this.#server.adminUrl, from));
    try {
      let cursor = "0";
      do {
        const [next, keys] = await client.scan(cursor, "COUNT", 500);
        const pipeline = client.pipeline();
        for (const key of keys) pipeline.call("COPY", key, key, "DB", to, "REPLACE");
        await pipeline.exec();
        cursor = next;
      } while (cursor !== "0");
    } finally {
      client.disconnect();
    }
  }

  async #claim(): Promise<number> {
    this.#free ??= this.#numbers();
    const free = await this.#free;
    if (free.length === 0) await this.#settle();
    for (let database = free.shift(); database !== undefined; database = free.shift()) {
      if (await this.#book(database)) return database;
    }
    throw new EngineError("NAMESPACES_EXHAUSTED", {
      happened: "Every database of this Redis server is in use",
      likely: "leases that were not disposed, or a server with few databases",
      remedy:
        "write `await using lease = …`; on a server of your own raise `databases` in redis.conf",
    });
  }

  async #numbers(): Promise<number[]> {
    // A private server's client may expect its data in the first database.
    if (this.#server.isolated) return Array.from({ length: 256 }, (_, index) => index);
    const client = await this.#client();
    const [, count] = (await client.config("GET", "databases")) as [string, string];
    const all = Array.from({ length: Number(count ?? 16) }, (_, index) => index);
    if (this.#server.provider !== "external") return all.slice(1);
    // Somebody's data is never touched: only databases that hold nothing are dealt out.
    const keyspace = await client.info("keyspace");
    const taken = new Set([...keyspace.matchAll(/^db(\d+):/gm)].map((match) => Number(match[1])));
    this.#bookkeeping = all.length - 1;
    return all.slice(0, -1).filter((database) => !taken.has(database));
  }

  /** On a server that isn't ours, runs tell each other in its last database who uses which. */
  async #book(database: number): Promise<boolean> {
    if (this.#server.provider !== "external") return true;
    const results = await (await this.#client())
      .multi()
      .select(this.#bookkeeping)
      .set(`kata:lease:${database}`, this.#context.id, "EX", bookingSeconds, "NX")
      .select(0)
      .exec();
    return results?.[1]?.[1] === "OK";
  }

  async #unbook(database: number): Promise<void> {
    if (this.#server.provider !== "external") return;
    await (await this.#client())
      .multi()
      .select(this.#bookkeeping)
      .del(`kata:lease:${database}`)
      .select(0)
      .exec();
  }

  #release(database: number): void {
    if (this.#server.isolated) return;
    const task: Promise<void> = this.#dismiss(database)
      .then(() => this.#flush(database))
      .then(() => this.#unbook(database))
      .then(async () => {
        (await this.#free)?.push(database);
      })
      // A database that couldn't be emptied is not dealt out again.
      .catch(() => {})
      .finally(() => this.#background.delete(task));
    this.#background.add(task);
  }

  /** Whose a database is: on a server that others use too, somebody who can enter no other. */
  #role(database: number): Promise<Role> {
    // The configuration has this one, so that a restart brings it back.
    if (this.#server.isolated)
      return Promise.resolve({ name: appName, password: password(this.#context, "redis app") });
    let role = this.#roles.get(database);
    if (!role) {
      role = this.#employ(database);
      this.#roles.set(database, role);
      role.catch(() => this.#roles.delete(database));
    }
    return role;
  }

  async #employ(database: number): Promise<Role> {
    const name = `kata_${this.#context.id}_${database}`;
    const role = { name, password: password(this.#context, name) };
    const rules = [...appRules, ...confinedTo(database), `>${role.password}`];
    await (await this.#client()).call("ACL", "SETUSER", name, ...rules);
    return role;
  }

  /** Ends its connections, too. */
  async #dismiss(database: number): Promise<void> {
    const role = await this.#roles.get(database)?.catch(() => undefined);
    this.#roles.delete(database);
    if (role) await (await this.#client()).acl("DELUSER", role.name);
  }

  async #flush(database: number): Promise<void> {
    const results = await (await this.#client())
      .multi()
      .select(database)
      .flushdb()
      .select(0)
      .exec();
    for (const [error] of results ?? []) if (error) throw error;
  }

  async #settle(): Promise<void> {
    while (this.#background.size > 0) await Promise.all(this.#background);
  }

  #client(): Promise<Redis> {
    this.#admin ??= connect(this.#server.adminUrl, { maxRetriesPerRequest: 20 });
    return this.#admin;
  }
}

function at(adminUrl: string, database: number, role?: Role): string {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  if (role) {
    url.username = role.name;
    url.password = role.password;
  }
  return url.href;
}
