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
    const { points } = await client.query(name, {
      query: vector as number[],
      filter: {
        must: [{ key: "colour", match: { value: "red" } }],
        must_not: [{ key: "weight", range: { lt: 40 } }],
      },
      params: { hnsw_ef: 64 },
      limit: 3,
      with_payload: true,
    });
    expect(points[0]).toMatchObject({ id: 41, payload: { colour: "red" } });
    expect(points.map(({ payload }) => payload?.colour)).toEqual(["red", "red", "red"]);
    await client.delete(name, { wait: true, filter: { must: [{ has_id: [41] }] } });
    expect(await client.count(name, { exact: true })).toEqual({ count: 1_999 });
    expect((await client.getCollection(name)).payload_schema).toMatchObject({
      colour: { data_type: "keyword" },
    });
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
