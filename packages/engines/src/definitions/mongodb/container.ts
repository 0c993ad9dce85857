import type { ContainerRecipe } from "../../definition.ts";

const port = 27017;
const name = "kata";

/** One node that is a replica set: without one, there are no transactions and no change streams. */
export const container: ContainerRecipe = {
  port,
  data: "/data/db",
  stopSeconds: 10,
  describe: () => ({
    env: {},
    command: [
      ...["mongod", "--replSet", name, "--bind_ip_all", "--wiredTigerCacheSizeGB", "0.25"],
      ...["--setParameter", "diagnosticDataCollectionEnabled=false"],
    ],
  }),
  adminUrl: (_context, published) => `mongodb://127.0.0.1:${published}/?directConnection=true`,
  async ready(adminUrl) {
    const { versionAt } = await import("./client.ts");
    const version = await versionAt(adminUrl);
    await assertPrimary(adminUrl);
    return version;
  },
};

/**
 * A member is initiated once; its data remember it. Until then it answers `hello` with
 * `isreplicaset` (MongoDB manual, `hello`). It elects itself, and takes writes from then on.
 * @throws as long as it is no primary
 */
async function assertPrimary(url: string): Promise<void> {
  const { MongoClient } = await import("mongodb");
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 5_000 });
  try {
    const admin = client.db("admin");
    const { isreplicaset, isWritablePrimary } = await admin.command({ hello: 1 });
    if (isreplicaset) {
      // Its own address, inside; clients that connect directly never use it.
      const members = [{ _id: 0, host: `127.0.0.1:${port}` }];
      await admin.command({ replSetInitiate: { _id: name, members } });
    }
    if (!isWritablePrimary) throw new Error("it is not yet the primary of its replica set");
  } finally {
    await client.close(true);
  }
}
