/** Servers on a small disk, beyond what the conformance suite has of `diskFull`. */
import { statfsSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { scenarios } from "../src/conformance/faults.ts";
import { diskFull } from "../src/faults/diskFull.ts";
import { kill } from "../src/faults/kill.ts";
import { type EngineRun, openEngines } from "../src/index.ts";
import { smallDisks, tryOne } from "../src/providers/small-disk.ts";
import { loadDefinitions, loadFaults, loadKit } from "../src/registry.ts";
import type { EngineRequest } from "../src/types.ts";
import { entries } from "./helpers.ts";

const onSmallDisk: EngineRequest = { isolation: "instance", needs: ["diskFull"] };
const definitions = await loadDefinitions();
const faults = [...(await loadFaults()).values()];

let run: EngineRun;
beforeAll(async () => {
  run = await openEngines();
});
afterAll(() => run[Symbol.asyncDispose]());

test("a machine that lacks the programs lacks the capability", async () => {
  expect(await tryOne({ PATH: "/nowhere" })).toBe(false);
});

describe.runIf(await smallDisks())("on a small disk", { timeout: 30_000 }, () => {
  for (const name of ["postgres", "redis"]) {
    const others = faults.filter(
      ({ scope, capability }) =>
        scope === "server" &&
        capability !== "diskFull" &&
        definitions.get(name)?.capabilities.includes(capability),
    );
    test.each(others.map((fault) => fault.name))(
      `${name} suffers %s as elsewhere`,
      async (fault) => {
        await using lease = await run.lease(name, onSmallDisk);
        await scenarios[fault]?.(lease, await loadKit(name));
      },
    );

    test(`${name} starts from a template, wherever that was built`, async () => {
      const kit = await loadKit(name);
      const build = vi.fn((url: string) => kit.prepare(url));
      const template = { key: "small disk", build };
      for (const request of [onSmallDisk, { isolation: "instance" } as const, onSmallDisk]) {
        await using lease = await run.lease(name, { ...request, template });
        const session = await kit.connect(await lease.urlFor("a"));
        expect(await session.get("prepared")).toBe("yes");
        await session.close();
      }
      expect(build).toHaveBeenCalledOnce();
    });

    test(`${name} has room on its disk, none when that is full, and ends with it`, async () => {
      const lease = await run.lease(name, onSmallDisk);
      const [disk = ""] = entries(run.folder)
        .map((entry) => join(run.folder, entry, "disk"))
        .filter((path) => entries(path).includes("data"));
      const mebibytes = 256;
      expect(free(disk) / 2 ** 20).toBeGreaterThan(mebibytes);
      const fault = await lease.inject(diskFull);
      expect(free(disk)).toBe(0);
      await fault.heal();
      expect(free(disk) / 2 ** 20).toBeGreaterThan(mebibytes);
      await lease[Symbol.asyncDispose]();
      expect(entries(disk)).toEqual([]);
    });

    test(`a ${name} that did not ask for one is refused, with the way to get it`, async () => {
      await using lease = await run.lease(name, { isolation: "instance" });
      await expect(lease.inject(diskFull)).rejects.toMatchObject({
        code: "CAPABILITY_MISSING",
        remedy: expect.stringContaining('needs: ["diskFull"]'),
      });
    });
  }

  test("PostgreSQL whose log is full too is down until there is room, and has kept what it acknowledged", async () => {
    await using lease = await run.lease("postgres", onSmallDisk);
    const client = new pg.Client(lease.adminUrl);
    client.on("error", () => {});
    await client.connect();
    await client.query("CREATE TABLE counter AS SELECT 0 AS count");
    await using full = await lease.inject(diskFull);
    let count = 0;
    const filling = async () => {
      for (;;) {
        // Both or neither: the update finds room in its page, the message only in the log.
        await client.query(
          "UPDATE counter SET count = count + 1 RETURNING pg_logical_emit_message(true, 'kata', repeat('x', 10000))",
        );
        count += 1;
      }
    };
    await expect(filling()).rejects.toThrow();
    expect(count).toBeGreaterThan(10);
    const killed = await lease.inject(kill);
    await expect(killed.heal()).rejects.toMatchObject({ code: "DISK_FULL" });
    await full.heal();
    const reader = new pg.Client(lease.adminUrl);
    await reader.connect();
    expect((await reader.query("SELECT count FROM counter")).rows).toEqual([{ count }]);
    await reader.end();
  });

  test("Redis that comes back while its disk is full ends at a write that it can't keep, and kept the others", async () => {
    await using lease = await run.lease("redis", onSmallDisk);
    await using full = await lease.inject(diskFull);
    await (await lease.inject(kill)).heal();
    const writer = new Redis(lease.adminUrl, { retryStrategy: () => null });
    writer.on("error", () => {});
    let count = 0;
    const filling = async () => {
      for (;;) {
        await writer.rpush("list", "x".repeat(500));
        count += 1;
      }
    };
    await expect(filling()).rejects.toThrow();
    await full.heal();
    const reader = new Redis(lease.adminUrl);
    expect(await reader.llen("list")).toBe(count);
    reader.disconnect();
  });

  test("what Redis acknowledges while its disk fills up is kept, also by one that is killed then", async () => {
    await using lease = await run.lease("redis", onSmallDisk);
    const writers = Array.from({ length: 8 }, () => {
      const writer = new Redis(lease.adminUrl, { retryStrategy: () => null });
      return writer.on("error", () => {});
    });
    const acknowledged: string[] = [];
    const writing = writers.map(async (writer, index) => {
      for (let count = 0; ; count += 1) {
        await writer.set(`${index} ${count}`, "x".repeat(500), "PX", 3_600_000);
        acknowledged.push(`${index} ${count}`);
      }
    });
    const refused = Promise.allSettled(writing);
    await vi.waitUntil(() => acknowledged.length > 200, { timeout: 10_000 });
    await using full = await lease.inject(diskFull);
    for (const { reason } of (await refused) as PromiseRejectedResult[])
      expect(String(reason)).toMatch(/MISCONF/);
    for (const writer of writers) writer.disconnect();
    const killed = await lease.inject(kill);
    await full.heal();
    await killed.heal();
    const reader = new Redis(lease.adminUrl);
    expect(await reader.exists(...acknowledged)).toBe(acknowledged.length);
    reader.disconnect();
  });
});

/** Bytes. */
function free(disk: string): number {
  const { bfree, bsize } = statfsSync(disk);
  return bfree * bsize;
}
