/**
 * What the test suites of express-session 1.19 and connect-redis 9 ask of a store, in our words (the
 * table in src/README.md names each expectation and the test here), and what they don't ask: that
 * nothing which ended comes back, and that nobody gets in while the stores are away.
 */
import { randomBytes } from "node:crypto";
import session, { type SessionData } from "express-session";
import { afterAll, describe, expect, test } from "vitest";
import { SessionStore } from "../src/adapters/express-session.ts";
import { closeEngines } from "./cluster.ts";
import { type Nodes, openLocalNodes, openNodes } from "./nodes.ts";

declare module "express-session" {
  interface SessionData {
    user?: string;
    n?: number;
  }
}

afterAll(closeEngines);

const MINUTE_MS = 60_000;

/** As the middleware would hand it to a store. */
function sessionWith(data: Partial<SessionData>, maxAge: number | null = null): SessionData {
  const cookie = new session.Cookie();
  if (maxAge !== null) {
    cookie.originalMaxAge = maxAge;
    cookie.expires = new Date(Date.now() + maxAge);
  }
  return { cookie, ...data };
}

function newSid(): string {
  return randomBytes(18).toString("base64url");
}

describe.each<[string, () => Promise<Nodes>]>([
  ["PostgreSQL and Redis", openNodes],
  ["SQLite", openLocalNodes],
])("a store on %s", (_, open) => {
  test("keeps what it is given, for every node, and knows nothing of other stores", async () => {
    await using nodes = await open();
    const [a, b] = [new SessionStore(nodes.a), new SessionStore(nodes.b)];
    const sid = newSid();
    expect(await a.get(sid)).toBeNull();
    await a.set(sid, sessionWith({ user: "ada", n: 1 }));
    const kept = {
      user: "ada",
      n: 1,
      cookie: { expires: null, originalMaxAge: null, httpOnly: true, path: "/" },
    };
    expect(await b.get(sid)).toEqual(kept);
    await b.set(sid, sessionWith({ n: 2 }));
    expect(await a.get(sid)).toEqual({ n: 2, cookie: kept.cookie });
    expect(await new SessionStore(nodes.a, { name: "other" }).get(sid)).toBeNull();
    // Without a cookie too: it is the middleware that complains about those.
    const bare = newSid();
    await a.set(bare, { n: 3 } as SessionData);
    expect(await a.get(bare)).toEqual({ n: 3 });
    // The names of the middleware's own methods are data like any other.
    const named = { ...kept, save: "nope", reload: 1, id: "x" } as unknown as SessionData;
    await a.set(sid, named);
    expect(await b.get(sid)).toEqual(named);
  });

  test("lets a session live as long as its cookie, else as long as it was told", async () => {
    await using nodes = await open();
    const store = new SessionStore(nodes.a, { ttlMs: MINUTE_MS, userOf: ({ user }) => user });
    const left = async (user: string): Promise<number> =>
      ((await nodes.b.list(user))[0]?.expiresAt ?? 0) - Date.now();
    const near = (ms: number): { min: number; max: number } => ({ min: ms - 5_000, max: ms + 500 });
    const expectNear = (ms: number, wanted: number): void => {
      expect(ms).toBeGreaterThan(near(wanted).min);
      expect(ms).toBeLessThan(near(wanted).max);
    };
    await store.set("without", sessionWith({ user: "without" }));
    expectNear(await left("without"), MINUTE_MS);
    const untold = new SessionStore(nodes.a, { userOf: ({ user }) => user });
    await untold.set("untold", sessionWith({ user: "untold" }));
    expectNear(await left("untold"), 24 * 60 * MINUTE_MS);
    await store.set("with", sessionWith({ user: "with" }, 2 * MINUTE_MS));
    expectNear(await left("with"), 2 * MINUTE_MS);
    // Touching moves the end and what the cookie says of it, and leaves the data alone.
    await store.touch("with", sessionWith({ user: "not saved" }, 9 * MINUTE_MS));
    expectNear(await left("with"), 9 * MINUTE_MS);
    const touched = await store.get("with");
    expect(touched?.user).toBe("with");
    const expires = String(touched?.cookie.expires);
    expectNear(new Date(expires).getTime() - Date.now(), 9 * MINUTE_MS);
    // Longer than a node keeps anything.
    await store.set("long", sessionWith({ user: "long" }, 100 * 365 * 24 * 60 * MINUTE_MS));
    expect(await left("long")).toBeGreaterThan(9 * 365 * 24 * 60 * MINUTE_MS);
  });

  test("a cookie that is over, or has no valid end, ends its session", async () => {
    await using nodes = await open();
    const store = new SessionStore(nodes.a);
    for (const end of [-1, 0, Number.NaN]) {
      const [saved, touched, fresh] = [newSid(), newSid(), newSid()];
      await store.set(saved, sessionWith({}, MINUTE_MS));
      await store.set(saved, sessionWith({}, end));
      await store.set(touched, sessionWith({}, MINUTE_MS));
      await store.touch(touched, sessionWith({}, end));
      await store.set(fresh, sessionWith({}, end));
      for (const sid of [saved, touched, fresh]) expect(await store.get(sid)).toBeNull();
    }
    expect(await store.length()).toBe(0);
  });

  test("counts, lists and clears its sessions, of which it doesn't know the ids", async () => {
    await using nodes = await open();
    const store = new SessionStore(nodes.a);
    const other = new SessionStore(nodes.a, { name: "other" });
    await other.set("1", sessionWith({ n: 0 }));
    const sids = Array.from({ length: 300 }, newSid);
    for (const [n, sid] of sids.entries()) await store.set(sid, sessionWith({ n }));
    expect(await store.length()).toBe(sids.length);
    const all = await store.all();
    expect(all.map(({ n }) => n).sort((x = 0, y = 0) => x - y)).toEqual(sids.map((_, n) => n));
    expect(JSON.stringify(all)).not.toContain(sids[0]);
    await store.destroy(sids[0] ?? "");
    expect(await store.length()).toBe(sids.length - 1);
    await store.clear();
    expect(await store.length()).toBe(0);
    expect(await store.all()).toEqual([]);
    for (const sid of sids.slice(0, 5)) expect(await store.get(sid)).toBeNull();
    expect(await other.length()).toBe(1);
  });

  test("answers callbacks as well as promises, and what a callback throws is not its own", async () => {
    await using nodes = await open();
    const store = new SessionStore(nodes.a);
    const sid = newSid();
    await new Promise<void>((resolve) => store.set(sid, sessionWith({ n: 1 }), () => resolve()));
    const read = await new Promise((resolve) =>
      store.get(sid, (error, found) => resolve([error, found?.n])),
    );
    expect(read).toEqual([null, 1]);
    const cyclic = sessionWith({});
    Object.assign(cyclic, { itself: cyclic });
    const error = await new Promise((resolve) => store.set(sid, cyclic, resolve));
    expect(error).toBeInstanceOf(TypeError);
    await expect(store.set(sid, cyclic)).rejects.toThrow(TypeError);
  });

  test("what has ended stays ended, however it ended", async () => {
    await using nodes = await open();
    const [a, b] = [nodes.a, nodes.b].map(
      (node) => new SessionStore(node, { userOf: ({ user }) => user }),
    ) as [SessionStore, SessionStore];
    const ends: Record<string, (sid: string) => Promise<unknown>> = {
      destroyed: (sid) => b.destroy(sid),
      "cookie over": (sid) => b.set(sid, sessionWith({}, -1)),
      "all of the user's": () => nodes.b.destroyAll("ada"),
      cleared: () => b.clear(),
    };
    for (const [how, end] of Object.entries(ends)) {
      const sid = newSid();
      await a.set(sid, sessionWith({ user: "ada" }, MINUTE_MS));
      await end(sid);
      for (const store of [a, b]) {
        await store.set(sid, sessionWith({ user: "ada" }, MINUTE_MS));
        await store.touch(sid, sessionWith({ user: "ada" }, MINUTE_MS));
        expect(await store.get(sid), how).toBeNull();
      }
    }
    // Even one that was never saved: a request destroys its new session, and then saves it.
    const sid = newSid();
    await a.destroy(sid);
    await a.set(sid, sessionWith({}));
    expect(await b.get(sid)).toBeNull();
    expect(await nodes.a.list("ada")).toEqual([]);
  });

  test("of saves and an end that race, the end wins", async () => {
    await using nodes = await open();
    const [a, b] = [new SessionStore(nodes.a), new SessionStore(nodes.b)];
    for (let round = 0; round < 20; round++) {
      const sid = newSid();
      if (round % 2) await a.set(sid, sessionWith({ n: 0 }));
      await Promise.all([
        ...Array.from({ length: 4 }, (_, n) => (n % 2 ? a : b).set(sid, sessionWith({ n }))),
        b.destroy(sid),
        ...Array.from({ length: 4 }, (_, n) => (n % 2 ? a : b).set(sid, sessionWith({ n }))),
      ]);
      for (const store of [a, b]) expect(await store.get(sid)).toBeNull();
    }
  });
});
