import { password, type RunContext } from "../../context.ts";
import { type Databases, makeAll } from "../../databases.ts";
import type { Server } from "../../definition.ts";

interface Table {
  readonly name: string;
  readonly view: number;
  readonly create_table_query: string;
  readonly keeps: "parts" | "rows" | "nothing";
}

/** @returns the answer's text */
export async function ask(url: string, statement: string, signal?: AbortSignal): Promise<string> {
  const { origin, username, password } = new URL(url);
  const key = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  const answer = await fetch(origin, {
    method: "POST",
    body: statement,
    ...(username ? { headers: { authorization: `Basic ${key.toString("base64")}` } } : {}),
    ...(signal ? { signal } : {}),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text.trim() || `HTTP status ${answer.status}`);
  return text;
}

/** What one may do in a database of one's own; tried with ClickHouse 26.5's rights, in chDB. */
const rights = [
  ...["SHOW", "SELECT", "INSERT", "ALTER", "TRUNCATE", "OPTIMIZE", "dictGet"],
  ...["CREATE TABLE", "CREATE VIEW", "CREATE DICTIONARY"],
  ...["DROP TABLE", "DROP VIEW", "DROP DICTIONARY"],
].join(", ");

/** Its refusals to make users: not with these rights, and (the library) nowhere to keep them. */
const noUsers = /\((ACCESS_DENIED|ACCESS_STORAGE_FOR_INSERTION_NOT_FOUND)\)/;

/**
 * A namespace is a database; its address names it in the path, as the official client reads it. Where
 * the server lets us make users, it has two, with rights in it alone: the submission's, of the same
 * name, and the grader's. The server's own administrator would be dangerous there: a view reads with
 * the rights of who reads it, unless it says otherwise.
 */
export class ClickHouseDatabases implements Databases {
  readonly #server: Server;
  readonly #context: RunContext;
  readonly #users = new Set<string>();
  #refused = false;

  constructor(server: Server, context: RunContext) {
    this.#server = server;
    this.#context = context;
  }

  async create(name: string): Promise<void> {
    await this.#ask(`CREATE DATABASE ${name}`);
    for (const user of [name, administratorOf(name)])
      if (!this.#refused) await this.#createUser(user, name);
  }

  async exists(name: string): Promise<boolean> {
    return (await this.#tables(name)).length > 0;
  }

  async copy(from: string, to: string): Promise<void> {
    const all = await this.#tables(from);
    await makeAll(
      all.filter(({ view }) => !view),
      (table) => this.#copyTable(table, from, to),
    );
    // Only now, or they would see the rows for a second time.
    await makeAll(
      all.filter(({ view }) => view),
      (view) => this.#copyTable(view, from, to),
    );
  }

  async drop(name: string): Promise<void> {
    await this.#ask(`DROP DATABASE IF EXISTS ${name} SYNC`);
    for (const user of [name, administratorOf(name)])
      if (this.#users.delete(user)) await this.#ask(`DROP USER IF EXISTS ${user}`);
  }

  url(name: string): string {
    return this.#urlOf(name, name);
  }

  adminUrl(name: string): string {
    return this.#urlOf(name, administratorOf(name));
  }

  async close(): Promise<void> {}

  /** As a user, where there is one: else as whoever the server's address names. */
  #urlOf(database: string, user: string): string {
    const url = new URL(this.#server.adminUrl);
    url.pathname = `/${database}`;
    if (!this.#users.has(user)) return url.href;
    url.username = user;
    url.password = password(this.#context, user);
    return url.href;
  }

  async #createUser(user: string, database: string): Promise<void> {
    const secret = password(this.#context, user);
    try {
      await this.#ask(
        `CREATE USER IF NOT EXISTS ${user} IDENTIFIED WITH sha256_password BY '${secret}'`,
      );
    } catch (error) {
      this.#refused = noUsers.test((error as Error).message);
      if (this.#refused) return;
      throw error;
    }
    await this.#ask(`GRANT ${rights} ON ${database}.* TO ${user}`);
    await this.#ask(`GRANT CREATE TEMPORARY TABLE ON *.* TO ${user}`);
    this.#users.add(user);
  }

  async #copyTable({ name, create_table_query, keeps }: Table, from: string, to: string) {
    await this.#ask(create_table_query.replaceAll(from, to));
    const quoted = `\`${name.replaceAll("\\", "\\\\").replaceAll("`", "\\`")}\``;
    const [source, target] = [`${from}.${quoted}`, `${to}.${quoted}`];
    // They are linked, not copied.
    if (keeps === "parts")
      await this.#ask(`ALTER TABLE ${target} ATTACH PARTITION ALL FROM ${source}`);
    if (keeps === "rows") await this.#ask(`INSERT INTO ${target} SELECT * FROM ${source}`);
  }

  /** Without the tables in which materialized views keep their rows: those come with the views. */
  async #tables(database: string): Promise<Table[]> {
    const answer = await this.#ask(`
      WITH (SELECT groupArray(name) FROM system.tables WHERE database = '${database}') AS names
      SELECT name, create_table_query, endsWith(engine, 'View') AS view, multiIf(
        endsWith(engine, 'MergeTree'), 'parts',
        engine IN ('Memory', 'Log', 'TinyLog', 'StripeLog', 'Join'), 'rows',
        has(names, concat('.inner_id.', toString(uuid))), 'rows',
        'nothing') AS keeps
      FROM system.tables WHERE database = '${database}' AND NOT startsWith(name, '.inner')
      FORMAT JSONEachRow`);
    return answer
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Table);
  }

  #ask(statement: string): Promise<string> {
    return ask(this.#server.adminUrl, statement);
  }
}

function administratorOf(name: string): string {
  return `${name}_admin`;
}
