/**
 * The middleware with our store behind an application: what its users see, with both nodes, and while
 * stores are away.
 */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { kill } from "@db-katas/engines/faults/kill";
import { pause } from "@db-katas/engines/faults/pause";
import { stop } from "@db-katas/engines/faults/stop";
import express from "express";
import session, { type SessionOptions } from "express-session";
import { afterAll, expect, test } from "vitest";
import { SessionStore } from "../src/adapters/express-session.ts";
import { type Node, openNode } from "../src/open.ts";
import { BUDGET_MS, closeEngines, eventually, SLACK_MS, STALENESS_MS, timed } from "./cluster.ts";
import { Gate, openNodes } from "./nodes.ts";

declare module "express-session" {
  interface SessionData {
    user?: string;
    n?: number;
  }
}

afterAll(closeEngines);

const MINUTE_MS = 60_000;

/** An application with slow routes, and its browser. */
async function openApp(
  node: Node,
  { gate = new Gate(), ...options }: Partial<SessionOptions> & { gate?: Gate } = {},
) {
  const app = express();
  const store = new SessionStore(node);
  const entered = new Gate();
  const slow = async (): Promise<void> => {
    entered.open();
    await gate.passed;
  };
  app.use(
    session({
      store,
      secret: "of a test",
      resave: false,
      saveUninitialized: false,
      cookie: { maxAge: MINUTE_MS },
      ...options,
    }),
  );
  app.post("/login", (request, response, next) =>
    request.session.regenerate((error) => {
      if (error) return next(error);
      request.session.user = "ada";
      response.end();
    }),
  );
  app.get("/me", (request, response) => response.json(request.session.user ?? null));
  app.get("/n", (request, response) => response.json(request.session.n ?? null));
  app.get("/cookie", (request, response) => response.json(request.session.cookie));
  app.post("/slow", async (request, response) => {
    await slow();
    request.session.n = 1;
    response.end();
  });
  app.post("/save", (request, response, next) => {
    request.session.n = 2;
    request.session.save((error) => (error ? next(error) : slow().then(() => response.end())));
  });
  app.get("/reload", async (request, response) => {
    await slow();
    request.session.reload((error) => response.json(error ? "gone" : request.session.n));
  });
  app.post("/forget", (request, response) => {
    delete (request as { session?: unknown }).session;
    response.end();
  });
  app.post("/logout", (request, response, next) =>
    request.session.destroy((error) => (error ? next(error) : response.end())),
  );
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    store,
    entered: entered.passed,
    send: (method: string, path: string, cookie = "") =>
      fetch(url + path, { method, headers: { cookie } }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function cookieOf(response: Response): string {
  return response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
}

test("a request that is still running at logout does not bring the session back", async () => {
  await using nodes = await openNodes();
  const gate = new Gate();
  await using a = await openApp(nodes.a, { gate });
  await using b = await openApp(nodes.b);
  const before = await a.send("POST", "/login");
  const again = await a.send("POST", "/login", cookieOf(before));
  expect(cookieOf(again)).not.toBe(cookieOf(before));
  expect(await (await b.send("GET", "/me", cookieOf(before))).json()).toBeNull();

  const cookie = cookieOf(again);
  expect(await (await b.send("GET", "/me", cookie)).json()).toBe("ada");
  const slow = a.send("POST", "/slow", cookie);
  await a.entered;
  expect((await b.send("POST", "/logout", cookie)).status).toBe(200);
  gate.open();
  expect((await slow).status).toBe(200);
  for (const app of [a, b]) expect(await (await app.send("GET", "/me", cookie)).json()).toBeNull();
});

test("what is saved before the answer is there at once; a reload shows what others saved", async () => {
  await using nodes = await openNodes();
  const [saved, reloaded, gone] = [new Gate(), new Gate(), new Gate()];
  await using saver = await openApp(nodes.a, { gate: saved });
  await using reloader = await openApp(nodes.b, { gate: reloaded });
  await using late = await openApp(nodes.b, { gate: gone });
  const cookie = cookieOf(await saver.send("POST", "/login"));
  const reload = reloader.send("GET", "/reload", cookie);
  await reloader.entered;
  const save = saver.send("POST", "/save", cookie);
  await saver.entered;
  expect(await (await reloader.send("GET", "/n", cookie)).json()).toBe(2);
  reloaded.open();
  expect(await (await reload).json()).toBe(2);
  saved.open();
  expect((await save).status).toBe(200);
  // Of a session that has ended meanwhile there is nothing to load.
  const reloadLate = late.send("GET", "/reload", cookie);
  await late.entered;
  await saver.send("POST", "/logout", cookie);
  gone.open();
  expect(await (await reloadLate).json()).toBe("gone");
});

test("a session that a request lets go of is kept, or ended where the application says so", async () => {
  await using nodes = await openNodes();
  for (const [unset, user] of [
    ["keep", "ada"],
    ["destroy", null],
  ] as const) {
    await using a = await openApp(nodes.a, { unset });
    await using b = await openApp(nodes.b);
    const cookie = cookieOf(await a.send("POST", "/login"));
    expect((await a.send("POST", "/forget", cookie)).status).toBe(200);
    expect(await (await b.send("GET", "/me", cookie)).json()).toBe(user);
  }
});

test("each request puts the end off; a session that is over is followed by a new one", async () => {
  await using nodes = await openNodes();
  const maxAge = 1_000;
  const gate = new Gate();
  gate.open();
  await using app = await openApp(nodes.a, { gate, cookie: { maxAge } });
  const cookie = cookieOf(await app.send("POST", "/login"));
  const shown = [];
  const kept = [];
  for (let i = 0; i < 3; i++) {
    const answer = await app.send("GET", "/cookie", cookie);
    const { originalMaxAge, expires } = (await answer.json()) as session.SessionData["cookie"];
    expect(originalMaxAge).toBe(maxAge);
    shown.push(new Date(String(expires)).getTime());
    kept.push(new Date(String((await app.store.all())[0]?.cookie.expires)).getTime());
    // The browser never keeps a cookie whose session is over already.
    expect(kept[i]).toBeGreaterThanOrEqual(shown[i] ?? Number.NaN);
  }
  for (const [first = 0, , last = 0] of [shown, kept]) expect(last).toBeGreaterThan(first);
  expect(
    await eventually(
      5_000,
      () => app.store.length(),
      (length) => length === 0,
    ),
  ).toBe(0);
  expect(await app.store.all()).toEqual([]);
  const next = cookieOf(await app.send("POST", "/slow", cookie));
  expect(next).toBeTruthy();
  expect(next).not.toBe(cookie);
});

test("Redis dies and hangs in mid-session: nobody is logged out, nobody waits, a logout sticks", async () => {
  await using nodes = await openNodes({ redis: "instance", budgetMs: BUDGET_MS });
  await using a = await openApp(nodes.a);
  await using b = await openApp(nodes.b);
  const [stays, leaves] = [
    cookieOf(await a.send("POST", "/login")),
    cookieOf(await a.send("POST", "/login")),
  ];
  for (const cookie of [stays, leaves]) {
    expect(await (await b.send("GET", "/me", cookie)).json()).toBe("ada");
  }
  for (const fault of [pause, kill]) {
    const active = await nodes.redis.inject(fault);
    const read = await timed(() => b.send("GET", "/me", stays));
    expect(await read.answer.json()).toBe("ada");
    // The session is loaded, and then touched: two calls.
    expect(read.ms).toBeLessThan(2 * BUDGET_MS + SLACK_MS);
    if (fault === pause) expect((await a.send("POST", "/logout", leaves)).status).toBe(200);
    await active.heal();
    for (const app of [a, b]) {
      expect(await (await app.send("GET", "/me", leaves)).json()).toBeNull();
      expect(await (await app.send("GET", "/me", stays)).json()).toBe("ada");
    }
  }
});

test("without PostgreSQL: 503 and Retry-After, never an anonymous success", async () => {
  await using nodes = await openNodes({ redis: "instance", postgres: "instance" });
  await using app = await openApp(nodes.a);
  const cookie = cookieOf(await app.send("POST", "/login"));
  // The middleware takes it for a permission to go on without sessions.
  let disconnects = 0;
  app.store.on("disconnect", () => disconnects++);
  await nodes.postgres.inject(stop);
  await nodes.redis.inject(kill);
  const read = await app.send("GET", "/me", cookie);
  expect(read.status).toBe(503);
  expect(read.headers.get("retry-after")).toBe("1");
  expect(await read.text()).not.toMatch(/"ada"|null/);
  expect((await app.send("POST", "/logout", cookie)).status).toBe(503);
  expect(disconnects).toBe(0);
  // Nobody listens to this one; it must not end the process either.
  const store = new SessionStore(nodes.a);
  const rejected = store.destroy("x");
  await expect(rejected).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", statusCode: 503 });
});

test("a database whose socket is not there is no reason to begin a new session", async () => {
  await using nodes = await openNodes();
  await using app = await openApp(nodes.a);
  const cookie = cookieOf(await app.send("POST", "/login"));
  // Connecting fails with ENOENT, which the middleware would take for "there is no such session".
  const stores = {
    kind: "polyglot",
    postgres: "postgres://nobody@localhost/sessions?host=/nowhere",
    redis: "redis://127.0.0.1:1",
  } as const;
  const lost = await openNode({
    name: "lost",
    stores,
    requestBudgetMs: BUDGET_MS,
    stalenessBoundMs: STALENESS_MS,
  });
  await using lostApp = await openApp(lost);
  expect((await lostApp.send("GET", "/me", cookie)).status).toBe(503);
  await lost.close();
});
