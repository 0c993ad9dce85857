import { basename } from "node:path";
import type { Redis } from "ioredis";
import { getContainerRuntimeClient } from "testcontainers";
import { expect, test, vi } from "vitest";
import type { EngineDefinition } from "../../src/definition.ts";
import { connect } from "../../src/definitions/redis/client.ts";
import { kit } from "../../src/definitions/redis/kit.ts";
import { kill } from "../../src/faults/kill.ts";
import { pause } from "../../src/faults/pause.ts";
import { restart } from "../../src/faults/restart.ts";
import { restartEmpty } from "../../src/faults/restartEmpty.ts";
import { restartStale } from "../../src/faults/restartStale.ts";
import { stop } from "../../src/faults/stop.ts";
import { offerContainer } from "../../src/providers/containers.ts";
import { folderPrefix } from "../../src/watcher/sweep.ts";
import { entries, eventually, ownFolder, startRunner } from "../helpers.ts";
import { definition, memoryBytes } from "./definitions/group/index.ts";
import { openGroup } from "./group.ts";
import {
  ask,
  containersOf,
  describeContainers,
  type Inspected,
  networksOf,
  volumesAmong,
} from "./here.ts";

// Several containers one after another, and the machine may be busy.
vi.setConfig({ testTimeout: 90_000 });

/** Members of a run's only group, by name; the runtime's own names end in a serial number. */
async function membersOf(run: string): Promise<Record<string, Inspected & { Id: string }>> {
  const found: Record<string, Inspected & { Id: string }> = {};
  for (const id of await containersOf(run)) {
    const inspected = await ask<Inspected & { Id: string; Name: string }>(`/containers/${id}/json`);
    const name = /-([a-z]+)-\d+$/.exec(inspected.Name)?.[1] ?? inspected.Name;
    found[name] = inspected;
  }
  return found;
}

/** What the Redis that nobody publishes says, asked from inside. */
async function stored(run: string, ...command: string[]): Promise<string> {
  const client = await getContainerRuntimeClient();
  const { store } = await membersOf(run);
  const container = client.container.getById(store?.Id ?? "");
  return (await client.container.exec(container, ["redis-cli", ...command])).output.trim();
}

async function running(run: string): Promise<string[]> {
  const members = Object.entries(await membersOf(run));
  return members.flatMap(([name, { State }]) => (State.Running ? [name] : [])).sort();
}

describeContainers("a group of containers", (env) => {
  /** A group, a client with full rights of its published member, and a lease on it. */
  async function opened(more?: EngineDefinition) {
    const temporary = await ownFolder();
    const run = await openGroup(temporary.path, env, more ? { definition: more } : {});
    const { server, engine } = await run.start();
    const lease = await engine.lease(undefined);
    const asked = async <T>(ask: (client: Redis) => Promise<T>) => {
      const client = await connect(server.adminUrl, { retryStrategy: () => null });
      try {
        return await ask(client);
      } finally {
        client.disconnect();
      }
    };
    /** Sends a key from the published one to the store, by its name. */
    const send = (key: string, value: string) =>
      asked(async (client) => {
        await client.set(key, value);
        return client.migrate("store", 6379, key, 0, 2_000, "COPY", "REPLACE");
      });
    /** How many replicas have what was written just now. */
    const replicas = (withinMs: number) =>
      asked(async (client) => {
        await client.incr("written");
        return client.wait(1, withinMs);
      });
    return {
      ...{ run, server, engine, lease, asked, send, replicas },
      async [Symbol.asyncDispose]() {
        await engine[Symbol.asyncDispose]();
        await run[Symbol.asyncDispose]();
        await temporary[Symbol.asyncDispose]();
      },
    };
  }

  test("starts one after another, each found by its name, and publishes one", async () => {
    await using group = await opened();
    const members = await membersOf(group.run.id);
    const started = Object.entries(members).map(([name, { State }]) => [State.StartedAt, name]);
    expect(started.sort().map(([, name]) => name)).toEqual(["store", "replica", "group"]);
    const published = Object.entries(members).map(([name, { NetworkSettings }]) => [
      name,
      Object.values(NetworkSettings.Ports)
        .flat()
        .filter(Boolean)
        .map(({ HostIp }) => HostIp),
    ]);
    expect(Object.fromEntries(published)).toEqual({ store: [], replica: [], group: ["127.0.0.1"] });
    // The published one finds the store, and the replica the published one.
    expect(await group.send("key", "value")).toBe("OK");
    expect(await stored(group.run.id, "get", "key")).toBe("value");
    expect(await group.replicas(10_000)).toBe(1);
  });

  test("tells about itself: what it is made of, memory and its limit, logs", async () => {
    await using group = await opened();
    const { store, replica } = await membersOf(group.run.id);
    expect(group.server.source).toMatch(/^containers of (\S+), \1, \1$/);
    expect(await group.server.memory()).toBeGreaterThan(3e6);
    expect(await group.server.log(40)).toMatch(/== store\n.*== replica\n.*== group\n/s);
    expect(store?.HostConfig.Memory).toBe(memoryBytes);
    expect(replica?.HostConfig.Memory).toBe(0);
    expect(await offerContainer(definition, env)).toMatchObject({ offered: true, memoryBytes });
    const nowhere = { ...env, KATA_IMAGE_GROUP_STORE: "127.0.0.1:1/nowhere:1" };
    expect(await offerContainer(definition, nowhere)).toMatchObject({
      fetch: { what: "the image 127.0.0.1:1/nowhere:1" },
    });
  });

  test("is killed and stopped as a whole, and comes back with what all of it had", async () => {
    await using group = await opened();
    const { run, lease } = group;
    const session = await kit.connect(await lease.urlFor("a"));
    await session.set("key", "before");
    await group.send("sent", "before");
    for (const fault of [kill, stop]) {
      const active = await lease.inject(fault);
      expect(await running(run.id)).toEqual([]);
      await active.heal();
      expect(await running(run.id)).toEqual(["group", "replica", "store"]);
      const again = await kit.connect(await lease.urlFor("a"));
      expect(await again.get("key")).toBe("before");
      await again.close();
      expect(await stored(run.id, "get", "sent")).toBe("before");
      expect(await group.replicas(10_000)).toBe(1);
    }
  });

  test("loses one member, and goes on", async () => {
    await using group = await opened();
    const { run, lease } = group;
    await group.send("sent", "before");
    const session = await kit.connect(await lease.urlFor("a"));
    const killed = await lease.inject(kill, { member: "store" });
    expect(await running(run.id)).toEqual(["group", "replica"]);
    await session.set("key", "meanwhile");
    await expect(group.send("sent", "lost")).rejects.toThrow();
    await killed.heal();
    expect(await stored(run.id, "get", "sent")).toBe("before");
    expect(await group.send("sent", "after")).toBe("OK");

    expect(await group.replicas(10_000)).toBe(1);
    const paused = await lease.inject(pause, { member: "replica" });
    expect(await group.replicas(150)).toBe(0);
    // Whoever else is down is started meanwhile; the paused one is left to who has paused it.
    await (await lease.inject(stop, { member: "store" })).heal();
    expect(await group.replicas(150)).toBe(0);
    await paused.heal();
    expect(await group.replicas(10_000)).toBe(1);

    await lease.inject(restart, { member: "store" });
    expect(await stored(run.id, "get", "sent")).toBe("after");
    expect(await session.get("key")).toBe("meanwhile");
    await session.close();
    await expect(lease.inject(kill, { member: "tikv" })).rejects.toMatchObject({
      code: "MEMBER_UNKNOWN",
      remedy: "use one of: store, replica, group",
    });
  });

  test("loses all data of all, and gets those of one moment back", async () => {
    await using group = await opened();
    const { run, lease } = group;
    await group.send("sent", "before");
    const snapshot = await lease.snapshot();
    await group.send("sent", "after");
    await lease.inject(restartEmpty);
    expect(await stored(run.id, "dbsize")).toBe("0");
    await lease.inject(restartStale, { snapshot });
    expect(await stored(run.id, "get", "sent")).toBe("before");
    expect(await group.asked((client) => client.get("sent"))).toBe("before");
    // A folder that the image lacks is a volume, too.
    const { replica } = await membersOf(run.id);
    expect(replica?.Mounts.map(({ Destination }) => Destination)).toContain("/var/lib/replica");
  });

  test("is copied as a whole for those who start from a template", async () => {
    await using group = await opened();
    await group.send("sent", "prepared");
    const seed = await group.server.snapshot?.();
    await group.engine[Symbol.asyncDispose]();
    const { engine } = await group.run.start(seed);
    expect(await stored(group.run.id, "get", "sent")).toBe("prepared");
    await engine[Symbol.asyncDispose]();
  });

  test("leaves no container, network or volume, also when one of it never serves", async () => {
    const temporary = await ownFolder();
    const run = await openGroup(temporary.path, env);
    const { engine } = await run.start();
    const volumes = Object.values(await membersOf(run.id)).flatMap(({ Mounts }) =>
      Mounts.map(({ Name }) => Name),
    );
    expect(await volumesAmong(volumes)).not.toEqual([]);
    expect(await networksOf(run.id)).toHaveLength(1);
    await engine[Symbol.asyncDispose]();
    expect([await containersOf(run.id), await networksOf(run.id)]).toEqual([[], []]);
    expect(await volumesAmong(volumes)).toEqual([]);
    await run[Symbol.asyncDispose]();

    const [store, replica] = definition.container?.companions ?? [];
    if (!store || !replica || !definition.container) throw new Error("a group has companions");
    const mute = { ...replica, startSeconds: 1, serves: { ...replica.serves, says: /never/ } };
    const never = await openGroup(temporary.path, env, {
      definition: {
        ...definition,
        container: { ...definition.container, companions: [store, mute] },
      },
    });
    await expect(never.start()).rejects.toMatchObject({
      code: "START_FAILED",
      message: expect.stringMatching(
        /^group did not start: replica: no answer within 1 s: redis-cli ping says: PONG\n/,
      ),
    });
    expect([await containersOf(never.id), await networksOf(never.id)]).toEqual([[], []]);
    await never[Symbol.asyncDispose]();
    await temporary[Symbol.asyncDispose]();
  });

  // Some moments of its start, and when it is all there; at once, since its watcher takes seconds to be sure.
  test.concurrent.each([0, 300, undefined])(
    "leaves nothing when the runner is killed with -9 (%s ms)",
    async (ms) => {
      await using temporary = await ownFolder();
      const { child, held } = startRunner("", temporary.path, env, "group-runner.ts");
      const run = async () => (entries(temporary.path)[0] ?? "").slice(folderPrefix.length);
      let id: string;
      if (ms === undefined) {
        id = basename((await held).folder).slice(folderPrefix.length);
        expect(await containersOf(id)).toHaveLength(3);
      } else {
        id = await eventually(run, (found) => found !== "");
        await eventually(
          () => containersOf(id),
          (ids) => ids.length > 0,
        );
        await new Promise((resolve) => setTimeout(resolve, ms));
      }
      expect(await networksOf(id)).toHaveLength(1);
      child.kill("SIGKILL");
      await eventually(
        () => entries(temporary.path),
        (names) => names.length === 0,
      );
      expect([await containersOf(id), await networksOf(id)]).toEqual([[], []]);
    },
  );
});
