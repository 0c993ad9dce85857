import { expect, test } from "vitest";
import { Circulation } from "../src/circulation.ts";
import type { Recycler, Recycling, Server } from "../src/definition.ts";
import type { LeaseTemplate, ServerControl } from "../src/types.ts";
import { eventually } from "./helpers.ts";

/** Servers by their address, and what is in them. */
class World implements Recycling {
  readonly data = new Map<string, string[]>();
  readonly ended: string[] = [];
  readonly seeds: (string | undefined)[] = [];
  /** What is read of a server; undefined when it can't be. */
  portable = true;
  ahead = 0;
  /** Those that are open. */
  clients = 0;
  /** Somebody who keeps a server from being renewed. */
  obstacle: Promise<unknown> | undefined;

  readonly start = async (seed?: string): Promise<Server> => {
    const adminUrl = `test://${this.seeds.push(seed)}`;
    this.data.set(adminUrl, seed === undefined ? [] : [seed]);
    const control = { kill: async () => {} } as ServerControl;
    return {
      provider: "process",
      source: "",
      version: "",
      isolated: true,
      adminUrl,
      control,
      snapshot: async () => String(this.data.get(adminUrl)),
      memory: async () => undefined,
      log: async () => "",
      end: async () => void this.ended.push(adminUrl),
    };
  };

  async open({ adminUrl: url }: Server): Promise<Recycler> {
    this.clients += 1;
    return {
      read: async () => (this.portable ? [...(this.data.get(url) ?? [])] : undefined),
      renew: async (contents = []) => {
        await this.obstacle;
        this.data.set(url, [...(contents as string[])]);
      },
      close: async () => {
        this.clients -= 1;
      },
    };
  }

  template(key: string): LeaseTemplate {
    return { key, build: async (url) => void this.data.get(url)?.push(key) };
  }
}

const open = () => {
  const world = new World();
  return { world, circulation: new Circulation(world, world.start) };
};

test("who gives a server back leaves nothing in it, and the next gets that one", async () => {
  const { world, circulation } = open();
  const first = await circulation.take(undefined);
  world.data.get(first.adminUrl)?.push("mine");
  await first.end();
  const second = await circulation.take(undefined);
  expect(second.adminUrl).toBe(first.adminUrl);
  expect(world.data.get(second.adminUrl)).toEqual([]);
});

test("twenty at once have a server each", async () => {
  const { circulation } = open();
  const taken = await Promise.all(Array.from({ length: 20 }, () => circulation.take(undefined)));
  expect(new Set(taken.map(({ adminUrl }) => adminUrl)).size).toBe(20);
});

test("a template is built once, and is as it was for whoever comes later", async () => {
  const { world, circulation } = open();
  const template = world.template("t");
  const [first, second] = await Promise.all([
    circulation.take(template),
    circulation.take(template),
  ]);
  expect([first, second].map(({ adminUrl }) => world.data.get(adminUrl))).toEqual([["t"], ["t"]]);
  world.data.get(first.adminUrl)?.push("mine");
  await first.end();
  expect(world.data.get((await circulation.take(template)).adminUrl)).toEqual(["t"]);
  await second.end();
  const other = await circulation.take(world.template("u"));
  expect(world.data.get(other.adminUrl)).toEqual(["u"]);
  expect(world.seeds).toHaveLength(2);
});

test("what a client can't put into a server comes with a copy of its folder, and is not handed on", async () => {
  const { world, circulation } = open();
  world.portable = false;
  const first = await circulation.take(world.template("much"));
  const second = await circulation.take(world.template("much"));
  expect(world.data.get(second.adminUrl)).toEqual(["much"]);
  expect(world.seeds).toEqual([undefined, "much"]);
  await first.end();
  await second.end();
  expect(world.ended).toEqual([first.adminUrl, second.adminUrl]);
});

test("a server that a fault has hit, or that can't be renewed, ends", async () => {
  const { world, circulation } = open();
  const hit = await circulation.take(undefined);
  await hit.control?.kill();
  await hit.end();
  expect(world.ended).toEqual([hit.adminUrl]);
  const stuck = await circulation.take(undefined);
  const gone = Promise.withResolvers<never>();
  world.obstacle = gone.promise;
  await stuck.end();
  gone.reject(new Error("somebody is still connected"));
  await eventually(
    () => world.ended,
    (ended) => ended.includes(stuck.adminUrl),
  );
  world.obstacle = undefined;
  const fresh = await circulation.take(undefined);
  expect([hit.adminUrl, stuck.adminUrl]).not.toContain(fresh.adminUrl);
});

test("where some are to be ahead, the second lease has them started, whatever it wants", async () => {
  const { world, circulation } = open();
  world.ahead = 2;
  const first = await circulation.take(undefined);
  expect(world.seeds).toHaveLength(1);
  const building = Promise.withResolvers<void>();
  const second = circulation.take({ key: "slow", build: () => building.promise });
  // It takes one of them, and doesn't wait for what is built in it.
  await eventually(
    () => world.seeds.length,
    (length) => length === 3,
  );
  building.resolve();
  for (const each of [first, await second, await circulation.take(world.template("t"))])
    await each.end();
  // The third lease had another started in the place of the one that the second took.
  expect(world.seeds).toHaveLength(4);
  await circulation.end();
  expect(world.ended).toHaveLength(4);
});

test("what comes with a folder is started ahead for the second lease in a row that wants it", async () => {
  const { world, circulation } = open();
  world.portable = false;
  world.ahead = 1;
  for (const key of ["much", "more", "other"])
    await (await circulation.take(world.template(key))).end();
  expect(world.seeds).toHaveLength(3);
  await (await circulation.take(world.template("other"))).end();
  await eventually(
    () => world.seeds,
    (seeds) => seeds.filter((seed) => seed === "other").length === 2,
  );
  await circulation.end();
  expect(world.ended).toHaveLength(5);
});

test("where some are to be ahead, a row of leases that are alike always finds as many", async () => {
  const { world, circulation } = open();
  world.ahead = 2;
  const started = (count: number) =>
    eventually(
      () => world.seeds.length,
      (length) => length === count,
    );
  const template = world.template("t");
  const first = await circulation.take(template);
  expect(world.seeds).toHaveLength(1);
  const second = await circulation.take(template);
  await started(4);
  // Another takes the place of each that is taken.
  const third = await circulation.take(template);
  await started(5);
  const others = [first, second, third];
  for (const each of others) expect(world.data.get(each.adminUrl)).toEqual(["t"]);
  for (const each of others) await each.end();
  const again = await circulation.take(template);
  await again.end();
  // Enough have come back.
  expect(world.seeds).toHaveLength(5);
  await circulation.end();
  expect(world.ended).toHaveLength(5);
});

test("what was started ahead for a template that nobody wants any more, and holds too much, ends", async () => {
  const { world, circulation } = open();
  world.ahead = 1;
  world.portable = false;
  const much = world.template("much");
  for (let count = 0; count < 2; count += 1) await (await circulation.take(much)).end();
  await eventually(
    () => world.seeds.length,
    (length) => length === 3,
  );
  const other = world.template("other");
  for (let count = 0; count < 2; count += 1) await (await circulation.take(other)).end();
  await eventually(
    () => world.seeds.filter((seed) => seed === "other").length,
    (length) => length === 2,
  );
  await circulation.end();
  expect(world.ended).toHaveLength(world.seeds.length);
});

test("the end ends those that nobody has, and those that come back later", async () => {
  const { world, circulation } = open();
  const [kept, late] = [await circulation.take(undefined), await circulation.take(undefined)];
  await kept.end();
  await circulation.end();
  await late.end();
  expect(world.ended).toEqual([kept.adminUrl, late.adminUrl]);
  expect(world.clients).toBe(0);
});

test("a template that can't be built leaves no server, and is tried again", async () => {
  const { world, circulation } = open();
  const build = () => Promise.reject(new RangeError("migration 7 is wrong"));
  await expect(circulation.take({ key: "t", build })).rejects.toThrow(RangeError);
  expect(world.ended).toHaveLength(1);
  expect((await circulation.take(world.template("t"))).adminUrl).toBe("test://2");
});
