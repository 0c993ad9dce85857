/**
 * The same sessions behind the same two servers, reached in the ways that people have: our node, our
 * store for express-session, two popular stores, and bare commands. No proxies in between.
 */
import connectPgSimple from "connect-pg-simple";
import { RedisStore } from "connect-redis";
import session, { type SessionData } from "express-session";
import { Redis } from "ioredis";
import pg from "pg";
import { createClient } from "redis";
import type { SessionNode, Submission } from "../contract.ts";
import { SessionStore } from "../src/adapters/express-session.ts";
import reference from "../src/index.ts";
import { type Node, openNode } from "../src/open.ts";
import postgresOnly from "../variants/postgres-only/index.ts";

export interface Stores {
  readonly postgres: string;
  readonly redis: string;
}

/** Session `n` of as many as there are. Two calls for one session never overlap. */
export interface Contender extends AsyncDisposable {
  readonly name: string;
  read(n: number): Promise<unknown>;
  write(n: number): Promise<unknown>;
}

const TTL_MS = 60 * 60 * 1_000;
/** A busy machine shall make a round slow, not fail. */
const budgets = { requestBudgetMs: 5_000, stalenessBoundMs: 800 };

/** What a shop keeps in a session: about 300 bytes of JSON. */
export function dataOf(n: number) {
  return {
    user: `user-${n}`,
    roles: ["customer", "reviewer"],
    language: "en",
    csrf: n.toString(16).padStart(32, "0"),
    cart: [1, 2, 3].map((item) => ({ sku: `sku-${n}-${item}`, count: item, price: 19.99 })),
  };
}

function middlewareSession(n: number): SessionData {
  const cookie = new session.Cookie();
  cookie.originalMaxAge = TTL_MS;
  cookie.expires = new Date(Date.now() + TTL_MS);
  return Object.assign({ cookie }, dataOf(n));
}

export type Open = (stores: Stores, sessions: number) => Promise<Contender>;

/** `parsed`: what comes back is the session's data, as with all others here, rather than its text. */
function commands(name: string, parsed: boolean, enableAutoPipelining = false): Open {
  return async ({ redis: url }, sessions) => {
    const redis = new Redis(url, { enableAutoPipelining });
    const key = (n: number): string => `bare:${n}`;
    const write = (n: number) => redis.set(key(n), JSON.stringify(dataOf(n)), "PX", TTL_MS);
    await each(sessions, write);
    return {
      name,
      read: async (n) => {
        const text = await redis.get(key(n));
        return parsed && text ? JSON.parse(text) : text;
      },
      write,
      [Symbol.asyncDispose]: async () => redis.disconnect(),
    };
  };
}

function nodeOf(
  name: string,
  submission: Submission,
  open: (name: string, stores: Stores) => Promise<SessionNode>,
): Open {
  return async (stores, sessions) => {
    await submission.migrate({ kind: "polyglot", postgres: stores.postgres });
    const node = await open("bench", stores);
    const made = await each(sessions, (n) =>
      node.create({ userId: `user-${n}`, device: "bench", data: dataOf(n), ttlMs: TTL_MS }),
    );
    const ids = made.map(({ id }) => id);
    const versions = made.map(({ version }) => version);
    return {
      name,
      read: (n) => node.get(ids[n] ?? ""),
      async write(n) {
        const expectedVersion = versions[n] ?? 0;
        const written = await node.update(ids[n] ?? "", { data: dataOf(n), expectedVersion });
        versions[n] = written.version;
      },
      [Symbol.asyncDispose]: () => node.close(),
    };
  };
}

function openReference(name: string, stores: Stores): Promise<Node> {
  return openNode({ name, stores: { kind: "polyglot", ...stores }, ...budgets });
}

function storeOf(
  name: string,
  open: (stores: Stores) => Promise<{ store: session.Store; close(): Promise<unknown> }>,
): Open {
  return async (stores, sessions) => {
    const { store, close } = await open(stores);
    // With callbacks, as the middleware does.
    const write = (n: number): Promise<void> =>
      new Promise((resolve, reject) =>
        store.set(`sid-${n}`, middlewareSession(n), (error) => (error ? reject(error) : resolve())),
      );
    await each(sessions, write);
    return {
      name,
      read: (n) =>
        new Promise((resolve, reject) =>
          store.get(`sid-${n}`, (error, found) => (error ? reject(error) : resolve(found))),
        ),
      write,
      [Symbol.asyncDispose]: async () => void (await close()),
    };
  };
}

/** What everything else is compared with. */
export const RAW = "ioredis, GET and JSON.parse";
export const NODE = "our node";
export const STORE = "our store for express-session";
export const CONNECT_REDIS = "connect-redis";

export const contenders = {
  ioredis: commands(RAW, true),
  autoPipelining: commands("ioredis, auto-pipelining", true, true),
  notParsed: commands("ioredis, GET, not parsed", false),
  node: nodeOf(NODE, reference, openReference),
  store: storeOf(STORE, async (stores) => {
    const node = await openReference("store", stores);
    return { store: new SessionStore(node), close: () => node.close() };
  }),
  connectRedis: storeOf(CONNECT_REDIS, async ({ redis }) => {
    const client = createClient({ url: redis });
    await client.connect();
    return { store: new RedisStore({ client }), close: () => client.close() };
  }),
  connectPgSimple: storeOf("connect-pg-simple", async ({ postgres }) => {
    const pool = new pg.Pool({ connectionString: postgres });
    // The pool's end doesn't wait for its connections, which the lease's then breaks.
    pool.on("error", () => {});
    const Store = connectPgSimple(session);
    const store = new Store({ pool, createTableIfMissing: true, pruneSessionInterval: false });
    return { store, close: () => pool.end() };
  }),
  postgresOnly: nodeOf("variant postgres-only", postgresOnly, async (name, stores) =>
    postgresOnly.createNode({ name, stores: { kind: "polyglot", ...stores }, ...budgets }),
  ),
} satisfies Readonly<Record<string, Open>>;

async function each<T>(sessions: number, work: (n: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let n = 0; n < sessions; n++) results.push(await work(n));
  return results;
}
