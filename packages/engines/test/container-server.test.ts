import { afterEach, expect, test, vi } from "vitest";
import type { RunContext } from "../src/context.ts";
import type { ContainerRecipe, EngineDefinition } from "../src/definition.ts";
import { container as mongodb } from "../src/definitions/mongodb/container.ts";
import { ContainerServer } from "../src/providers/container.ts";

const mongo = vi.hoisted(() => ({
  hello: { isWritablePrimary: true } as object,
  commands: [] as object[],
}));
vi.mock("../src/definitions/mongodb/client.ts", () => ({ versionAt: async () => "8.2.1" }));
vi.mock("mongodb", () => ({
  MongoClient: class {
    db = () => ({
      command: async (command: object) => {
        mongo.commands.push(command);
        return mongo.hello;
      },
    });
    close = async () => {};
  },
}));

afterEach(() => mongo.commands.splice(0));

/** How a container is made and what is asked of its server, with a runtime that does as it is told. */
async function started(recipe: Partial<ContainerRecipe>, more: Partial<EngineDefinition> = {}) {
  const made: { Env: string[]; HostConfig: { PortBindings: Record<string, object[]> } }[] = [];
  const definition = {
    name: "engine",
    ready: async (url) => `engine at ${url}`,
    ...more,
  } as EngineDefinition;
  const container: ContainerRecipe = {
    port: 5000,
    data: "/data",
    stopSeconds: 1,
    describe: (_context, published) => ({ env: { TOLD: `${published}` }, command: [] }),
    adminUrl: (_context, port) => `tcp://127.0.0.1:${port}`,
    ...recipe,
  };
  const client = {
    image: { exists: async () => true },
    container: {
      create: async (options: (typeof made)[number]) => {
        made.push(options);
        return {
          start: async () => {},
          remove: async () => {},
          inspect: async () => ({
            State: { Running: true, Paused: false },
            NetworkSettings: {
              Ports: {
                "5000/tcp": [{ HostIp: "127.0.0.1", HostPort: "6000" }],
                "5001/tcp": [{ HostIp: "127.0.0.1", HostPort: "6001" }],
              },
            },
          }),
        };
      },
    },
  };
  const context = { id: "run", ended: new AbortController().signal } as RunContext;
  type Client = Parameters<typeof ContainerServer.start>[3];
  const { version } = await ContainerServer.start(
    definition,
    container,
    [{ name: "engine:1.0", variable: "KATA_IMAGE_ENGINE" }],
    client as unknown as Client,
    context,
    { isolated: true },
  );
  const [{ Env, HostConfig } = { Env: [], HostConfig: { PortBindings: {} } }] = made;
  const { "5000/tcp": bindings, ...further } = HostConfig.PortBindings;
  return { version, env: Env, bindings, further };
}

test("the runtime chooses the port, on loopback only", async () => {
  const { version, env, bindings } = await started({});
  expect(bindings).toEqual([{ HostIp: "127.0.0.1", HostPort: "" }]);
  expect(env).toEqual(["TOLD=0"]);
  expect(version).toBe("engine at tcp://127.0.0.1:6000");
});

test("a further port is published likewise, and is in the address", async () => {
  const { version, further } = await started({}, { also: { grpc: 5001 } });
  expect(further).toEqual({ "5001/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] });
  expect(version).toBe("engine at tcp://127.0.0.1:6000?grpc=6001");
});

test("a server that tells its address is told its port, which is the one published", async () => {
  const { env, bindings } = await started({}, { readdress: () => (reply) => reply });
  const [told = ""] = env;
  expect(told).toMatch(/^TOLD=[1-9]\d+$/);
  expect(bindings).toEqual([{ HostIp: "127.0.0.1", HostPort: told.slice("TOLD=".length) }]);
});

test("a recipe's own probe goes before the engine's", async () => {
  const { version } = await started({ ready: async () => "by the recipe" });
  expect(version).toBe("by the recipe");
});

test("a new member of MongoDB's replica set is initiated, and ready only as its primary", async () => {
  const ask = () => mongodb.ready?.("mongodb://127.0.0.1:40000/");
  mongo.hello = { isreplicaset: true, isWritablePrimary: false };
  await expect(ask()).rejects.toThrow("not yet the primary");
  expect(mongo.commands).toEqual([
    { hello: 1 },
    { replSetInitiate: { _id: "kata", members: [{ _id: 0, host: "127.0.0.1:27017" }] } },
  ]);
  mongo.hello = { setName: "kata", isWritablePrimary: false };
  await expect(ask()).rejects.toThrow("not yet the primary");
  mongo.hello = { setName: "kata", isWritablePrimary: true };
  expect(await ask()).toBe("8.2.1");
  expect(mongo.commands).toHaveLength(4);
});
