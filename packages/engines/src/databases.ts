import { createHash } from "node:crypto";
import { databaseName, type RunContext } from "./context.ts";
import type { Namespace, Namespaces, Server } from "./definition.ts";
import type { LeaseTemplate } from "./types.ts";

/** What an engine can do with the databases of one server, by their names. */
export interface Databases {
  create(name: string): Promise<void>;
  /** Whether it is there with something in it. */
  exists(name: string): Promise<boolean>;
  /** Puts everything that is in one into another, which is empty. */
  copy(from: string, to: string): Promise<void>;
  drop(name: string): Promise<void>;
  /** Its address, straight to the server; with a submission's rights, where the engine knows rights. */
  url(name: string): string;
  /** Where it does: with full rights. */
  adminUrl?(name: string): string;
  close(): Promise<void>;
}

/** A busy server may refuse to drop one: Chroma's SQLite is locked at times. */
const dropAttempts = 4;

/** Namespaces that are databases, for engines that can't clone one: templates are copied through a client. */
export class DatabaseNamespaces implements Namespaces {
  readonly #server: Server;
  readonly #context: RunContext;
  readonly #databases: Databases;
  readonly #templates = new Map<string, Promise<string>>();
  readonly #taken = new Set<string>();
  #dropping: Promise<unknown> = Promise.resolve();
  #closing = false;

  constructor(server: Server, context: RunContext, databases: Databases) {
    this.#server = server;
    this.#context = context;
    this.#databases = databases;
  }

  async prepare(template: LeaseTemplate): Promise<void> {
    await this.#template(template);
  }

  async take(wanted?: LeaseTemplate): Promise<Namespace> {
    const template = wanted && (await this.#template(wanted));
    const name = databaseName(this.#context);
    await this.#create(name);
    const databases = this.#databases;
    if (template !== undefined) await databases.copy(template, name);
    return {
      name,
      get adminUrl() {
        return databases.adminUrl?.(name) ?? databases.url(name);
      },
      get url() {
        return databases.url(name);
      },
      recreate: async () => {
        this.#templates.clear();
        await databases.create(name);
      },
      release: async () => this.#drop(name),
    };
  }

  async reset(): Promise<void> {
    this.#templates.clear();
    await this.#dropping;
    for (let attempt = 1; attempt <= dropAttempts; attempt += 1) {
      for (const name of this.#taken) this.#drop(name);
      await this.#dropping;
    }
  }

  async close(): Promise<void> {
    if (this.#server.provider === "external") await this.reset();
    this.#closing = true;
    await this.#dropping;
    await this.#databases.close();
  }

  #template(wanted: LeaseTemplate): Promise<string> {
    let template = this.#templates.get(wanted.key);
    if (!template) {
      template = this.#build(wanted);
      this.#templates.set(wanted.key, template);
      template.catch(() => this.#templates.delete(wanted.key));
    }
    return template;
  }

  async #build(wanted: LeaseTemplate): Promise<string> {
    const digest = createHash("sha256").update(wanted.key).digest("hex").slice(0, 10);
    const name = `kata_${this.#context.id}_${digest}_template`;
    // A private server may have started from a snapshot that has the template already.
    if (this.#server.isolated && (await this.#databases.exists(name))) return name;
    await this.#create(name);
    try {
      await wanted.build(this.#databases.url(name));
    } catch (error) {
      this.#drop(name);
      await this.#dropping;
      throw error;
    }
    return name;
  }

  async #create(name: string): Promise<void> {
    this.#taken.add(name);
    await this.#databases.create(name);
  }

  /** In the background and one after another: leases come first, and nobody waits for what is left over. */
  #drop(name: string): void {
    // A private server is about to end, with all that is in it.
    if (this.#server.isolated) return;
    this.#dropping = this.#dropping
      .then(() => (this.#closing ? undefined : this.#databases.drop(name)))
      .then(() => this.#taken.delete(name))
      // It stays among what was taken, and a reset tries again.
      .catch(() => {});
  }
}

/** Makes one after another. What is refused may need what hasn't been made yet: it comes again, later. */
export async function makeAll<T>(
  items: readonly T[],
  make: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  for (let refused = 0; waiting.length > 0; ) {
    const [item] = waiting.splice(0, 1) as [T];
    try {
      await make(item);
      refused = 0;
    } catch (error) {
      refused += 1;
      waiting.push(item);
      if (refused === waiting.length) throw error;
    }
  }
}
