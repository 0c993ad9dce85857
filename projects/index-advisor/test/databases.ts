/** Databases on a real server; one run of engines for each test file. */
import { type EngineRun, type Lease, openEngines } from "@db-katas/engines";
import pg from "pg";
import { afterAll, beforeAll } from "vitest";

export interface Databases extends AsyncDisposable {
  readonly target: string;
  readonly scratch: string;
  /** With full rights on the whole server. */
  readonly targetAdmin: string;
  readonly scratchAdmin: string;
}

let run: Promise<EngineRun> | undefined;

async function lease(): Promise<Lease> {
  run ??= openEngines();
  return await (await run).lease("pgextended", { needs: ["hypopg"] });
}

export async function openDatabases(): Promise<Databases> {
  const [target, scratch] = await Promise.all([lease(), lease()]);
  return {
    target: await target.urlFor("a"),
    scratch: await scratch.urlFor("a"),
    targetAdmin: superuserUrl(target),
    scratchAdmin: superuserUrl(scratch),
    async [Symbol.asyncDispose]() {
      await Promise.all([target[Symbol.asyncDispose](), scratch[Symbol.asyncDispose]()]);
    },
  };
}

/** As a superuser, in a lease's database. */
export function superuserUrl({ engine, namespace }: Lease): string {
  const url = new URL(engine.adminUrl);
  url.pathname = `/${namespace}`;
  return url.href;
}

export async function closeEngines(): Promise<void> {
  const open = await run;
  run = undefined;
  await open?.[Symbol.asyncDispose]();
}

export type Client = pg.Client & AsyncDisposable;

export async function connected(url: string): Promise<Client> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

/** The same in both. */
export async function load(
  { target, scratch }: Pick<Databases, "target" | "scratch">,
  sql: string,
): Promise<void> {
  for (const url of [target, scratch]) {
    await using client = await connected(url);
    await client.query(sql);
  }
}

/** For all tests of a file. @param sql to begin with, in both */
export function sharedDatabases(sql = ""): Omit<Databases, typeof Symbol.asyncDispose> {
  let open: Databases | undefined;
  beforeAll(async () => {
    open = await openDatabases();
    await load(open, sql);
  });
  afterAll(async () => {
    await open?.[Symbol.asyncDispose]();
    await closeEngines();
  });
  const databases = () => {
    if (open === undefined) throw new Error("There are databases while tests run, not before.");
    return open;
  };
  return {
    get target() {
      return databases().target;
    },
    get scratch() {
      return databases().scratch;
    },
    get targetAdmin() {
      return databases().targetAdmin;
    },
    get scratchAdmin() {
      return databases().scratchAdmin;
    },
  };
}

/** A connection for all tests of a file. @param sql to begin with */
export function sharedClient(url: () => string, sql = ""): Pick<pg.Client, "query"> {
  let open: Client | undefined;
  beforeAll(async () => {
    open = await connected(url());
    await open.query(sql);
  });
  afterAll(() => open?.[Symbol.asyncDispose]());
  const query = (...args: Parameters<pg.Client["query"]>) => open?.query(...args);
  return { query: query as pg.Client["query"] };
}

export interface Database extends AsyncDisposable {
  readonly client: pg.Client;
  readonly url: string;
}

/** An empty database of one's own, after that SQL. */
export async function databaseWith(sql: string): Promise<Database> {
  const leased = await lease();
  const url = await leased.urlFor("a");
  const client = await connected(url);
  await client.query(sql);
  return {
    client,
    url,
    async [Symbol.asyncDispose]() {
      await client.end();
      await leased[Symbol.asyncDispose]();
    },
  };
}
