import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { EngineDefinition } from "../src/definition.ts";
import { loadDefinitions, loadFaults, type Offer, openEngines, portsOf } from "../src/index.ts";
import { collectOffers, fitting } from "../src/providers/index.ts";
import { eventually, ownFolder } from "./helpers.ts";

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

async function definition(name: string): Promise<EngineDefinition> {
  const found = (await loadDefinitions()).get(name);
  if (!found) throw new Error(name);
  return found;
}

async function timed<T>(work: Promise<T>): Promise<[T, number]> {
  const start = performance.now();
  return [await work, performance.now() - start];
}

/** A container runtime that says what it is told; `images` maps a name to an HTTP status. */
async function fakeRuntime(
  path: string,
  images: Record<string, number>,
  pingStatus = 200,
  busyMs = 0,
): Promise<string> {
  const server = createHttpServer(async (request, response) => {
    await wait(busyMs);
    const image = /^\/images\/(.+)\/json$/.exec(request.url ?? "")?.[1];
    response.statusCode =
      request.url === "/_ping" ? pingStatus : (images[decodeURIComponent(image ?? "")] ?? 404);
    response.end("{}");
  });
  server.listen(path);
  await once(server, "listening");
  open.push(server);
  return `unix://${path}`;
}

/** Accepts connections and never says a word. */
async function silentSocket(path: string): Promise<{ uri: string; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on("error", () => {})));
  server.listen(path);
  await once(server, "listening");
  open.push(server);
  return { uri: `unix://${path}`, sockets };
}

const container = (offers: readonly Offer[]) =>
  offers.find(({ provider }) => provider === "container");

describe("the container runtime is probed, never waited for", () => {
  test("one that accepts and never answers costs ≤ 300 ms, all providers together", async () => {
    await using folder = await ownFolder();
    const { uri, sockets } = await silentSocket(join(folder.path, "docker.sock"));
    const redis = await definition("redis");
    const [offers, ms] = await timed(collectOffers(redis, { ...process.env, DOCKER_HOST: uri }));
    for (const socket of sockets) socket.destroy();
    expect(ms).toBeLessThan(300);
    expect(container(offers)).toMatchObject({
      offered: false,
      reason: expect.stringContaining("does not answer within 150 ms"),
    });
  });

  test("one that answers late is waited for by who has nothing else", async () => {
    await using folder = await ownFolder();
    const DOCKER_HOST = await fakeRuntime(join(folder.path, "docker.sock"), {}, 200, 400);
    const env = { ...process.env, DOCKER_HOST, KATA_ENGINES: "container", KATA_INSTALL: "never" };
    expect(container(await collectOffers(await definition("redis"), env))).toMatchObject({
      offered: false,
      late: true,
    });
    await using run = await openEngines({ env });
    await expect(run.lease("redis")).rejects.toMatchObject({
      code: "ENGINE_UNAVAILABLE",
      message: expect.stringContaining("KATA_INSTALL=never forbids fetching it"),
    });
  });

  test("a dead path and a refused port decline at once", async () => {
    const redis = await definition("redis");
    for (const uri of ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:1"]) {
      const [offers, ms] = await timed(collectOffers(redis, { ...process.env, DOCKER_HOST: uri }));
      expect(ms).toBeLessThan(300);
      expect(container(offers)).toMatchObject({
        offered: false,
        remedy: expect.stringContaining("KATA_ENGINES=process"),
      });
    }
  });

  test("one on another machine is of no use", async () => {
    const offers = await collectOffers(await definition("redis"), {
      DOCKER_HOST: "tcp://10.0.0.9:2375",
    });
    expect(container(offers)).toMatchObject({
      offered: false,
      reason: expect.stringContaining("is not on this machine"),
    });
  });

  test("an image that is there is offered; one that isn't has to be fetched, or declined with the command", async () => {
    await using folder = await ownFolder();
    const { image = "" } = await definition("redis");
    const present = await fakeRuntime(join(folder.path, "a.sock"), { [image]: 200 });
    const absent = await fakeRuntime(join(folder.path, "b.sock"), {});
    const sick = await fakeRuntime(join(folder.path, "c.sock"), {}, 500);
    // This process is the runtime, too: on a busy machine it may answer later than the probe waits.
    const ask = async (env: NodeJS.ProcessEnv) =>
      eventually(
        async () => container(await collectOffers(await definition("redis"), env)),
        (offer) => offer?.offered === true || !/does not (answer|say)/.test(offer?.reason ?? ""),
      );
    expect(await ask({ DOCKER_HOST: present })).toMatchObject({
      offered: true,
      source: expect.stringContaining(image),
    });
    expect(await ask({ DOCKER_HOST: present })).not.toHaveProperty("fetch");
    expect(await ask({ DOCKER_HOST: absent })).toMatchObject({
      offered: true,
      fetch: { what: `the image ${image}` },
    });
    expect(await ask({ DOCKER_HOST: absent, KATA_INSTALL: "never" })).toMatchObject({
      offered: false,
      remedy: `docker pull ${image}`,
    });
    expect(await ask({ DOCKER_HOST: absent, KATA_IMAGE_REDIS: "redis:7.4" })).toMatchObject({
      fetch: { what: "the image redis:7.4" },
    });
    expect(await ask({ DOCKER_HOST: sick })).toMatchObject({
      offered: false,
      reason: expect.stringContaining("HTTP status 500"),
    });
  });
});

describe("the choice", () => {
  const offer = (provider: Offer["provider"], capabilities: string[], fetch = false) =>
    ({
      provider,
      offered: true,
      source: "",
      capabilities,
      ...(fetch ? { fetch: { what: "", bytes: 1 } } : {}),
    }) as Offer;

  test("is the first that can do what is needed; what must be fetched comes last", () => {
    const offers = [
      offer("external", ["network"]),
      offer("container", ["network", "kill"], true),
      offer("process", ["network", "kill"]),
      { provider: "library", offered: false, reason: "" } as Offer,
    ];
    const order = (needs: ["kill"] | []) => fitting(offers, needs).map(({ provider }) => provider);
    expect(order([])).toEqual(["external", "process", "container"]);
    expect(order(["kill"])).toEqual(["process", "container"]);
  });

  test("KATA_ENGINES forces a provider, and is checked", async () => {
    const redis = await definition("redis");
    const offers = await collectOffers(redis, {
      ...process.env,
      KATA_ENGINES: "container",
      DOCKER_HOST: "unix:///nowhere",
    });
    expect(fitting(offers, [])).toEqual([]);
    await expect(collectOffers(redis, { KATA_ENGINES: "proces" })).rejects.toMatchObject({
      code: "SETTING_INVALID",
    });
    const sqlite = await collectOffers(await definition("sqlite"), { KATA_ENGINES: "process" });
    expect(fitting(sqlite, [])[0]?.provider).toBe("library");
  });

  test("without redis-server, without a package client, and with fetching forbidden, says what to do", async () => {
    const redis = await definition("redis");
    const ask = async (env: NodeJS.ProcessEnv) =>
      (await collectOffers(redis, { KATA_CACHE: "/nowhere", ...env })).find(
        ({ provider }) => provider === "process",
      );
    expect(await ask({ PATH: "/nowhere" })).toMatchObject({
      offered: false,
      remedy: expect.stringContaining("redis"),
    });
    expect(await ask({ PATH: "/nowhere", KATA_INSTALL: "never" })).toMatchObject({
      offered: false,
      reason: expect.stringContaining("KATA_INSTALL=never"),
    });
    expect(await ask({ KATA_REDIS_SERVER: "/nowhere/redis-server" })).toMatchObject({
      offered: false,
      reason: expect.stringContaining("can't be run"),
    });
  });

  test("when none fits, the error lists them all", async () => {
    await using run = await openEngines({ env: { ...process.env, KATA_ENGINES: "external" } });
    await expect(run.lease("redis")).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    await expect(run.lease("oracle")).rejects.toMatchObject({ code: "ENGINE_UNKNOWN" });
    await expect(run.lease("sqlite", { needs: ["kill"] })).rejects.toThrow(
      /library: can't do kill/,
    );
  });
});

test("a further port that an address of the user's doesn't tell is the usual one", async () => {
  const answers: Record<string, object> = {
    "/v1/meta": { version: "0.1" },
    "/v1/schema": { classes: [] },
    "/v1/aliases": { aliases: [] },
  };
  const server = createHttpServer(({ url = "" }, response) =>
    response.end(JSON.stringify(answers[url] ?? {})),
  ).listen(0, "127.0.0.1");
  open.push(server);
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const env = { ...process.env, KATA_ENGINES: "external", KATA_WEAVIATE_WIPE: "yes" };
  await using run = await openEngines({
    env: { ...env, KATA_WEAVIATE_URL: `http://127.0.0.1:${port}` },
  });
  await using lease = await run.lease("weaviate");
  expect(lease.adminUrl).toBe(`http://127.0.0.1:${port}/?grpc=50051`);
  const url = portsOf(await lease.urlFor("a"));
  expect(url.get("grpc")).not.toBe(50051);
  expect(url.get("grpc")).not.toBe(url.get("main"));
});

test("the registries are the folders, and what is in them is called as they are", async () => {
  const src = join(import.meta.dirname, "..", "src");
  const engines = [...(await loadDefinitions())];
  expect(engines.map(([name]) => name)).toEqual(readdirSync(join(src, "definitions")).sort());
  for (const [name, each] of engines) expect(each.name).toBe(name);
  const faults = [...(await loadFaults())];
  const files = readdirSync(join(src, "faults")).sort();
  expect(faults.map(([name]) => `${name}.ts`)).toEqual(files);
  for (const [name, each] of faults) expect(each.name).toBe(name);
});
