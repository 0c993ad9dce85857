/** The service over HTTP, on real engines that fail, and the Fastify plugin in it. */
import { kill } from "@db-katas/engines/faults/kill";
import { pause } from "@db-katas/engines/faults/pause";
import { stop } from "@db-katas/engines/faults/stop";
import cookie from "@fastify/cookie";
import fastify, { type FastifyInstance, type FastifyPluginAsync } from "fastify";
import { afterAll, describe, expect, test } from "vitest";
import { SessionStore } from "../src/adapters/express-session.ts";
import { sessions } from "../src/adapters/fastify.ts";
import { type Server, startServer } from "../src/http/server.ts";
import type { Node } from "../src/open.ts";
import { BUDGET_MS, closeEngines, eventually, SLACK_MS, timed } from "./cluster.ts";
import { Gate, openNodes } from "./nodes.ts";

afterAll(closeEngines);

const SECRET = "a secret for tests, of 32 characters or more";

/** Signs in anybody; `gate` holds those who ask for it. */
function serverFor(node: Node, gate = new Gate(), entered = new Gate()): Promise<Server> {
  return startServer({
    node,
    secret: SECRET,
    ttlMs: 60_000,
    secure: false,
    endMs: 1_000,
    authenticate: async ({ user, password }) => {
      if (password === "wait") {
        entered.open();
        await gate.passed;
      }
      return password === "wrong" ? null : user;
    },
  });
}

/** A browser: it keeps the cookie and sends it to either server, as behind a load balancer. */
class Browser {
  cookie = "";

  async send(server: Server, method: "GET" | "POST", path: string, body?: object) {
    const json = body && { "content-type": "application/json" };
    const response = await fetch(server.url + path, {
      method,
      headers: { cookie: this.cookie, connection: "close", ...json },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const [set] = response.headers.getSetCookie();
    if (set) this.cookie = set.split(";")[0] ?? "";
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: /json/.test(response.headers.get("content-type") ?? "") ? JSON.parse(text) : text,
    };
  }
}

test("sign in, devices, sign out here and everywhere, across two servers", async () => {
  await using nodes = await openNodes();
  const [a, b] = await Promise.all([serverFor(nodes.a), serverFor(nodes.b)]);
  const [phone, laptop] = [new Browser(), new Browser()];
  expect((await phone.send(a, "GET", "/profile")).status).toBe(401);
  const wrong = await phone.send(a, "POST", "/login", { user: "ada", password: "wrong" });
  expect(wrong.status).toBe(401);
  expect((await phone.send(a, "POST", "/login", {})).status).toBe(400);
  await phone.send(a, "POST", "/login", { user: "ada", device: "phone" });
  await laptop.send(b, "POST", "/login", { user: "ada", device: "laptop" });

  expect((await phone.send(b, "GET", "/profile")).body).toMatchObject({ user: "ada", version: 1 });
  expect((await phone.send(b, "POST", "/visit")).body).toEqual({ data: { visits: 1 }, version: 2 });
  const devices = (await laptop.send(a, "GET", "/devices")).body;
  expect(devices.map((one: { device: string }) => one.device)).toEqual(["phone", "laptop"]);

  const old = phone.cookie;
  await phone.send(b, "POST", "/login", { user: "ada", device: "phone" });
  expect(phone.cookie).not.toBe(old);
  const thief = new Browser();
  thief.cookie = old;
  expect((await thief.send(a, "GET", "/profile")).status).toBe(401);
  thief.cookie = phone.cookie.replace(/.$/, (last) => (last === "A" ? "B" : "A"));
  expect((await thief.send(a, "GET", "/profile")).status).toBe(401);

  expect((await laptop.send(a, "POST", "/logout-everywhere")).body).toEqual({ ended: 2 });
  expect((await phone.send(b, "GET", "/profile")).status).toBe(401);
  expect((await phone.send(b, "POST", "/logout")).status).toBe(200);
  expect(await Promise.all([a.close(), b.close()])).toEqual([true, true]);
});

test("Redis is killed and paused in mid-session: the login survives, a logout sticks", async () => {
  await using nodes = await openNodes({ redis: "instance", budgetMs: BUDGET_MS });
  const [a, b] = await Promise.all([serverFor(nodes.a), serverFor(nodes.b)]);
  const readiness = async () => (await new Browser().send(a, "GET", "/health/ready")).body.status;
  const metricsOf = async (server: typeof b): Promise<string> =>
    (await new Browser().send(server, "GET", "/metrics")).body;
  expect(await readiness()).toBe("ok");
  for (const fault of [kill, pause]) {
    const [stays, leaves] = [new Browser(), new Browser()];
    for (const browser of [stays, leaves]) {
      await browser.send(a, "POST", "/login", { user: fault.name });
      expect((await browser.send(b, "GET", "/profile")).status).toBe(200);
    }
    const gone = leaves.cookie;
    const active = await nodes.redis.inject(fault);
    const read = await timed(() => stays.send(b, "GET", "/profile"));
    expect(read.answer.body.user).toBe(fault.name);
    expect(read.ms).toBeLessThan(BUDGET_MS + SLACK_MS);
    expect((await leaves.send(b, "POST", "/logout")).status).toBe(200);
    expect((await stays.send(a, "POST", "/visit")).body.data).toEqual({ visits: 1 });
    // Nothing but a write or a read tells a node that Redis hangs.
    await eventually(5_000, readiness, (status) => status === "degraded");
    expect(await readiness()).toBe("degraded");
    // The first calls find out that Redis is away; those that follow know.
    const isKnown = /session_fallbacks_total\{reason="redis-down"} [1-9]/;
    const known = await eventually(
      5_000,
      () => stays.send(b, "GET", "/profile").then(() => metricsOf(b)),
      (text) => isKnown.test(text),
    );
    expect(known).toMatch(isKnown);

    await active.heal();
    for (const server of [a, b]) {
      leaves.cookie = gone;
      expect((await leaves.send(server, "GET", "/profile")).status).toBe(401);
      expect((await stays.send(server, "GET", "/profile")).body.data).toEqual({ visits: 1 });
    }
    await eventually(5_000, readiness, (status) => status === "ok");
    expect(await readiness()).toBe("ok");
    const served = await eventually(
      5_000,
      async () => (await stays.send(b, "GET", "/profile")).headers.get("server-timing"),
      (tier) => tier === 'session;desc="redis"',
    );
    expect(served).toBe('session;desc="redis"');
  }
  const metrics = await metricsOf(b);
  expect(metrics).toMatch(
    /session_call_seconds_count\{operation="get",tier="redis",outcome="ok"} [1-9]/,
  );
  expect(metrics).toMatch(
    /session_call_seconds_count\{operation="get",tier="postgres",outcome="ok"} [1-9]/,
  );
  expect(metrics).toMatch(/session_fallbacks_total\{reason="unconfirmed"} [1-9]/);
  expect(metrics).toContain('session_fallbacks_total{reason="trust-lapsed"} 0');
  expect(metrics).toContain("session_redis_up 1");
  expect(metrics).toMatch(/session_cache_epoch [2-9]/);
  expect(metrics).toMatch(/session_postgres_connections\{state="open"} [1-9]/);
  await Promise.all([a.close(), b.close()]);
});

test("without PostgreSQL: 503 with Retry-After, alive but not ready", async () => {
  await using nodes = await openNodes({ redis: "instance", postgres: "instance" });
  const server = await serverFor(nodes.a);
  const browser = new Browser();
  await browser.send(server, "POST", "/login", { user: "ada" });
  await nodes.postgres.inject(stop);
  await nodes.redis.inject(kill);
  for (const [method, path] of [
    ["GET", "/profile"],
    ["GET", "/devices"],
    ["POST", "/logout"],
    ["POST", "/visit"],
  ] as const) {
    const refused = await browser.send(server, method, path);
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(refused.body).toMatchObject({ code: "STORE_UNAVAILABLE", statusCode: 503 });
  }
  const ready = await browser.send(server, "GET", "/health/ready");
  expect([ready.status, ready.body.status]).toEqual([503, "unavailable"]);
  expect((await browser.send(server, "GET", "/health/live")).status).toBe(200);
  await server.close();
});

describe("ending", () => {
  test("a request under way is finished first, with the stores still there", async () => {
    await using nodes = await openNodes();
    const [gate, entered] = [new Gate(), new Gate()];
    const server = await serverFor(nodes.a, gate, entered);
    const browser = new Browser();
    const login = browser.send(server, "POST", "/login", { user: "ada", password: "wait" });
    await entered.passed;
    const closed = server.close();
    gate.open();
    expect((await login).status).toBe(200);
    expect(await closed).toBe(true);
    await expect(browser.send(server, "GET", "/health/live")).rejects.toThrow();
    await expect(nodes.a.get("x")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(await nodes.b.list("ada")).toHaveLength(1);
  });

  test("a request that never ends is cut off at the deadline", async () => {
    await using nodes = await openNodes();
    const [gate, entered] = [new Gate(), new Gate()];
    const server = await serverFor(nodes.a, gate, entered);
    const login = new Browser()
      .send(server, "POST", "/login", { user: "ada", password: "wait" })
      .catch((error: unknown) => error);
    await entered.passed;
    expect(await server.close()).toBe(false);
    expect(await login).toBeInstanceOf(Error);
    gate.open();
  });
});

async function appWith(register: (app: FastifyInstance) => Promise<void>) {
  const app = fastify();
  await register(app);
  const inject = async (url: string, sid = "") => {
    const response = await app.inject({ method: "GET", url, cookies: sid ? { sid } : {} });
    const sent = response.cookies.find(({ name }) => name === "sid");
    return { status: response.statusCode, body: response.body, sent };
  };
  return { app, inject };
}

test("the plugin: optimistic saves, new ids, cookies that are safe by default", async () => {
  await using nodes = await openNodes();
  const [read, saved] = [new Gate(), new Gate()];
  const { app, inject } = await appWith(async (app) => {
    await app.register(sessions, { node: nodes.a, secret: SECRET, ttlMs: 60_000 });
    app.get("/open", ({ session }) => session.open({ userId: "ada", data: { n: 0 } }));
    app.get("/regenerate", ({ session }) => session.regenerate());
    app.get("/touch", ({ session }) => session.touch());
    app.get("/fast", ({ session }) => session.set({ n: 1 }));
    app.get("/slow", async ({ session }) => {
      await session.get();
      read.open();
      await saved.passed;
      return await session.set({ n: 2 });
    });
  });
  for (const path of ["/regenerate", "/touch", "/fast"]) {
    expect((await inject(path)).status).toBe(401);
  }
  const { sent } = await inject("/open");
  expect(sent).toMatchObject({
    httpOnly: true,
    secure: true,
    sameSite: "Lax",
    path: "/",
    maxAge: 60,
  });
  const first = sent?.value ?? "";
  const slow = inject("/slow", first);
  await read.passed;
  expect((await inject("/fast", first)).status).toBe(200);
  saved.open();
  expect((await slow).status).toBe(409);

  const second = (await inject("/regenerate", first)).sent?.value ?? "";
  expect((await inject("/fast", first)).status).toBe(401);
  expect(JSON.parse((await inject("/touch", second)).body)).toMatchObject({ data: { n: 1 } });
  // Unsigned, or signed by somebody else, is no session.
  expect((await inject("/touch", second.split(".")[0])).status).toBe(401);
  await app.close();
  await expect(
    appWith(async (app) => {
      await app.register(sessions, { node: nodes.a, secret: "short", ttlMs: 1 });
    }),
  ).rejects.toThrow(RangeError);
});

test("the express-session store also serves @fastify/session", async () => {
  await using nodes = await openNodes();
  // By name: its types claim the same property of requests as ours do.
  const name: string = "@fastify/session";
  const { default: theirs }: { default: FastifyPluginAsync<Record<string, unknown>> } =
    await import(name);
  interface Theirs {
    n?: number;
    destroy(): Promise<void>;
    regenerate(): Promise<void>;
  }
  const of = (request: object): Theirs => (request as { session: Theirs }).session;
  const [held, gone] = [new Gate(), new Gate()];
  const { app, inject } = await appWith(async (app) => {
    await app.register(cookie);
    await app.register(theirs, {
      secret: SECRET,
      cookieName: "sid",
      cookie: { secure: false, maxAge: 60_000 },
      store: new SessionStore(nodes.a, { name: "@fastify/session" }),
      saveUninitialized: false,
    });
    app.get("/count", async (request) => {
      const session = of(request);
      session.n = (session.n ?? 0) + 1;
      return session.n;
    });
    app.get("/slow", async (request) => {
      of(request).n = 99;
      held.open();
      await gone.passed;
      return "saved";
    });
    app.get("/regenerate", (request) =>
      of(request)
        .regenerate()
        .then(() => "ok"),
    );
    app.get("/destroy", (request) =>
      of(request)
        .destroy()
        .then(() => "ok"),
    );
  });
  const first = await inject("/count");
  const sid = first.sent?.value ?? "";
  expect((await inject("/count", sid)).body).toBe("2");
  const slow = inject("/slow", sid);
  await held.passed;
  expect((await inject("/destroy", sid)).body).toBe("ok");
  gone.open();
  expect((await slow).status).toBe(200);
  expect((await inject("/count", sid)).body).toBe("1");
  expect((await inject("/regenerate", sid)).status).toBe(200);
  await app.close();
});
