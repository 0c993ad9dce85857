import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import weaviate, { configure, dataType, Filters } from "weaviate-client";
import { type EngineRun, fetchableUnasked, openEngines, portsOf } from "../src/index.ts";

const { chosen } = await (async () => {
  await using run = await openEngines();
  return run.probe("weaviate");
})();

const name = "Things";

function open(url: string) {
  const ports = portsOf(url);
  return weaviate.connectToCustom({
    httpPort: ports.get("main") ?? 0,
    grpcPort: ports.get("grpc") ?? 0,
  });
}

describe.runIf(chosen && fetchableUnasked(chosen))("Weaviate", { timeout: 90_000 }, () => {
  let run: EngineRun;
  beforeAll(
    async () => {
      run = await openEngines();
      await (await run.lease("weaviate"))[Symbol.asyncDispose]();
    },
    chosen?.fetch ? 1_800_000 : 60_000,
  );
  afterAll(() => run[Symbol.asyncDispose]());

  test("a clone has its template's objects and index, and the official client finds by vector, filter and word", async () => {
    const template = {
      key: "things",
      async build(url: string) {
        const client = await open(url);
        await client.collections.create({
          name,
          vectorizers: configure.vectors.selfProvided({
            vectorIndexConfig: configure.vectorIndex.hnsw({
              maxConnections: 8,
              efConstruction: 32,
            }),
          }),
          properties: [
            { name: "colour", dataType: dataType.TEXT },
            { name: "weight", dataType: dataType.INT },
          ],
        });
        const objects = Array.from({ length: 500 }, (_, id) => ({
          vectors: Array.from({ length: 32 }, (_, axis) => Math.cos(id * (axis + 1) * 0.01)),
          properties: { colour: id % 2 ? "red" : "blue", weight: id },
        }));
        const { hasErrors } = await client.collections.use(name).data.insertMany(objects);
        expect(hasErrors).toBe(false);
        await client.close();
      },
    };
    await using lease = await run.lease("weaviate", { template });
    const client = await open(await lease.urlFor("a"));
    const things = client.collections.use(name);
    expect((await things.aggregate.overAll()).totalCount).toBe(500);
    const vector = Array.from({ length: 32 }, (_, axis) => Math.cos(41 * (axis + 1) * 0.01));
    const near = await things.query.nearVector(vector, {
      limit: 3,
      filters: Filters.and(
        things.filter.byProperty("colour").equal("red"),
        things.filter.byProperty("weight").greaterOrEqual(40),
      ),
      returnMetadata: ["distance"],
    });
    expect(near.objects.map(({ properties }) => properties.colour)).toEqual(["red", "red", "red"]);
    expect(near.objects[0]).toMatchObject({ properties: { weight: 41 } });
    expect(near.objects[0]?.metadata?.distance).toBeCloseTo(0);
    const found = await things.query.bm25("blue", { limit: 1 });
    expect(found.objects[0]?.properties.colour).toBe("blue");
    await client.close();
  });

  test("what a lease has asked for last lands in no other lease", async () => {
    for (let round = 0; round < 6; round += 1) {
      await using lease = await run.lease("weaviate");
      const url = await lease.urlFor("a");
      const client = await open(url);
      // It takes its turn behind all that is still to be made.
      await client.collections.create({
        name,
        properties: [{ name: "of", dataType: dataType.INT }],
      });
      expect((await client.collections.listAll()).map((each) => each.name)).toEqual([name]);
      const things = client.collections.use(name);
      expect((await things.query.fetchObjects()).objects).toEqual([]);
      // Nobody waits for these: the lease ends while they are under way.
      const late = Array.from({ length: 8 }, (_, count) => {
        const json = { "content-type": "application/json" };
        const body = JSON.stringify({ class: `Late${count}` });
        return [
          fetch(new URL("/v1/schema", url), { method: "POST", headers: json, body }),
          things.data.insert({ of: round }),
        ].map((each) => each.catch(() => {}));
      }).flat();
      if (round % 2 > 0) await Promise.race(late);
      await lease[Symbol.asyncDispose]();
      await Promise.all(late);
      await client.close();
    }
  });

  test("nothing of it listens beyond the loopback", async () => {
    await using lease = await run.lease("weaviate");
    const lines = execFileSync("ss", ["-ltnpH"], { encoding: "utf8" }).trim().split("\n");
    expect(lines.filter((line) => line.includes("weaviate"))).toEqual([]);
    for (const port of portsOf(lease.adminUrl).values()) {
      const here = lines
        .map((line) => line.split(/\s+/)[3])
        .filter((each) => each?.endsWith(`:${port}`));
      expect(here).toEqual([`127.0.0.1:${port}`]);
    }
  });
});
