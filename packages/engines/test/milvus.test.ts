import { DataType } from "@zilliz/milvus2-sdk-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../src/definitions/milvus/namespaces.ts";
import { type EngineRun, fetchableUnasked, openEngines } from "../src/index.ts";

const { chosen } = await (async () => {
  await using run = await openEngines();
  return run.probe("milvus");
})();
const collection_name = "things";

describe.runIf(chosen && fetchableUnasked(chosen))("Milvus", () => {
  let run: EngineRun;
  beforeAll(async () => {
    run = await openEngines();
  });
  afterAll(() => run[Symbol.asyncDispose]());

  test("a clone has its template's schema, partitions, rows and index, and can be searched", async () => {
    const template = {
      key: "things",
      async build(url: string) {
        const client = await connect(url);
        await client.createCollection({
          collection_name,
          fields: [
            { name: "id", data_type: DataType.Int64, is_primary_key: true },
            { name: "v", data_type: DataType.FloatVector, dim: 2 },
          ],
          enable_dynamic_field: true,
          index_params: [
            {
              field_name: "v",
              index_type: "HNSW",
              metric_type: "COSINE",
              params: { M: 8, efConstruction: 32 },
            },
          ],
        });
        await client.createPartition({ collection_name, partition_name: "north" });
        const near = [{ id: 1, v: [1, 0], colour: "red" }];
        const far = [{ id: 2, v: [0, 1], colour: "blue" }];
        await client.insert({ collection_name, data: near, partition_name: "north" });
        await client.insert({ collection_name, data: far });
        await client.closeConnection();
      },
    };
    await using lease = await run.lease("milvus", { template });
    const client = await connect(await lease.urlFor("a"));
    const search = { collection_name, data: [1, 0.1], limit: 2, output_fields: ["id", "colour"] };
    const { results } = await client.search(search);
    expect(results.map(({ id, colour }) => [id, colour])).toEqual([
      ["1", "red"],
      ["2", "blue"],
    ]);
    const { results: northern } = await client.search({ ...search, partition_names: ["north"] });
    expect(northern.map(({ id }) => id)).toEqual(["1"]);
    const { index_descriptions } = await client.describeIndex({ collection_name });
    expect(index_descriptions[0]?.params).toContainEqual({ key: "metric_type", value: "COSINE" });
    await client.closeConnection();
  });
});
