import { MongoClient } from "mongodb";
import type { Kit, Session } from "../../conformance/kit.ts";

async function connect(url: string): Promise<Session> {
  // What fails shall be seen to fail.
  const client = new MongoClient(url, {
    maxPoolSize: 1,
    retryReads: false,
    retryWrites: false,
    // Twenty clients at once on a busy machine took longer than half a second.
    serverSelectionTimeoutMS: 2_000,
  });
  try {
    await client.connect();
  } catch (error) {
    await client.close(true);
    throw error;
  }
  const kit = client.db().collection<{ _id: string; value: string }>("kit");
  return {
    async set(key, value) {
      await kit.updateOne({ _id: key }, { $set: { value } }, { upsert: true });
    },
    get: async (key) => (await kit.findOne({ _id: key }))?.value,
    close: () => client.close(true),
  };
}

export const kit: Kit = {
  connect,
  reconnects: true,
  async prepare(url) {
    const session = await connect(url);
    await session.set("prepared", "yes");
    await session.close();
  },
};
