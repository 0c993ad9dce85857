import { QdrantClient } from "@qdrant/js-client-rest";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EngineRun, fetchableUnasked, openEngines } from "../src/index.ts";
import { eventually } from "./helpers.ts";

const { chosen } = await (async () => {
  await using run = await openEngines();
  return run.probe("qdrant");
})();

const name = "things";
const open = (url: string) => new QdrantClient({ url, checkCompatibility: false });

describe.runIf(chosen && fetchableUnasked(chosen))("Qdrant", { timeout: 60_000 }, () => {
  let run: EngineRun;
  beforeAll(
    async () => {
      run = await openEngines();
      await (await run.lease("qdrant"))[Symbol.asyncDispose]();
    },
    chosen?.fetch ? 300_000 : 30_000,
  );
  afterAll(() => run[Symbol.asyncDispose]());

  test("a clone has its template's points and indexes, and what the official client asks is answered", async () => {
    const template = {
      key: "things",
      async build(url: string) {
        const client = open(url);
        await client.createCollection(name, {
          vectors: { size: 32, distance: "Cosine" },
          hnsw_config: { m: 8, ef_construct: 32, full_scan_threshold: 10 },
          optimizers_config: { indexing_threshold: 10 },
        });
        await client.createPayloadIndex(name, { field_name: "colour", field_schema: "keyword" });
        const points = Array.from({ length: 2_000 }, (_, id) => ({
          id,
          vector: Array.from({ length: 32 }, (_, axis) => Math.cos(id * (axis + 1) * 0.01)),
          payload: { colour: id % 2 ? "red" : "blue", weight: id },
        }));
        await client.upsert(name, { wait: true, points });
      },
    };
    await using lease = await run.lease("qdrant", { template });
    const client = open(await lease.urlFor("a"));
    // Built in the background, as in Qdrant; until then the collection is yellow.
    const { indexed_vectors_count } = await eventually(
      () => client.getCollection(name),
      ({ status }) => status === "green",
      30_000,
    );
    expect(indexed_vectors_count).toBe(2_000);
    const [{ vector } = {}] = await client.retrieve(name, { ids: [41], with_vector: true });
    const red = {
      query: vector as number[],
      filter: {
        must: [{ key: "colour", match: { value: "red" } }],
        must_not: [{ key: "weight", range: { lt: 40 } }],
      },
      limit: 3,
      with_payload: true,
    };
    const { points } = await client.query(name, { ...red, params: { exact: true } });
    expect(points[0]).toMatchObject({ id: 41, payload: { colour: "red" } });
    // By its graph it finds near ones, and not always the nearest.
    const { points: found } = await client.query(name, { ...red, params: { hnsw_ef: 64 } });
    expect(found.map(({ payload }) => payload?.colour)).toEqual(["red", "red", "red"]);
    expect(found.every(({ payload }) => Number(payload?.weight) >= 40)).toBe(true);
    await client.delete(name, { wait: true, filter: { must: [{ has_id: [41] }] } });
    expect(await client.count(name, { exact: true })).toEqual({ count: 1_999 });
    expect((await client.getCollection(name)).payload_schema).toMatchObject({
      colour: { data_type: "keyword" },
    });
  });

  test("twenty at once are apart, and a server that is handed on shows nothing of who had it", async () => {
    const leases = await Promise.all(Array.from({ length: 20 }, () => run.lease("qdrant")));
    const seen = await Promise.all(
      leases.map(async (lease, index) => {
        const client = open(await lease.urlFor("a"));
        await client.createCollection(`of_${index}`, {
          vectors: { size: 8, distance: "Dot" },
        });
        return (await client.getCollections()).collections.map((each) => each.name);
      }),
    );
    expect(seen).toEqual(leases.map((_, index) => [`of_${index}`]));
    const hurried = leases.map(async (lease, index) => {
      const client = open(await lease.urlFor("a"));
      const points = Array.from({ length: 2_000 }, (_, id) => ({ id, vector: Array(8).fill(id) }));
      await client.upsert(`of_${index}`, { points });
    });
    // While these are under way.
    await Promise.all(leases.map((lease) => lease[Symbol.asyncDispose]()));
    await Promise.allSettled(hurried);
    const template = {
      key: "one point",
      build: async (url: string) => {
        const client = open(url);
        await client.createCollection("of_0", { vectors: { size: 8, distance: "Dot" } });
        const points = [{ id: 1, vector: Array(8).fill(1) }];
        await client.upsert("of_0", { points });
      },
    };
    const later = await Promise.all(leases.map(() => run.lease("qdrant", { template })));
    const addresses = new Set(leases.map(({ adminUrl }) => adminUrl));
    expect(later.some(({ adminUrl }) => addresses.has(adminUrl))).toBe(true);
    for (const lease of later) {
      const client = open(await lease.urlFor("a"));
      const { collections } = await client.getCollections();
      expect(collections).toEqual([{ name: "of_0" }]);
      expect(await client.count("of_0", { exact: true })).toEqual({ count: 1 });
    }
    await Promise.all(later.map((lease) => lease[Symbol.asyncDispose]()));
  });

  test("what the stand-in can't do it refuses", async () => {
    await using lease = await run.lease("qdrant");
    const client = open(await lease.urlFor("a"));
    await client.createCollection(name, { vectors: { size: 2, distance: "Dot" } });
    const refused = { status: 501 };
    const filter = { must: [{ key: "sold", match: { value: true } }] };
    await expect(client.count(name, { filter })).rejects.toMatchObject(refused);
    await expect(
      client.query(name, { query: { recommend: { positive: [1] } } }),
    ).rejects.toMatchObject(refused);
    await expect(client.createSnapshot(name)).rejects.toMatchObject(refused);
  });
});
