import { once } from "node:events";
import { connect } from "node:net";
import { MongoClient } from "mongodb";

/** @returns the server's version */
export async function versionAt(url: string): Promise<string> {
  // The client looks again only after half a second when nobody listens yet.
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  socket.destroy();
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 5_000 });
  try {
    const { version } = await client.db("admin").command({ buildInfo: 1 });
    return String(version);
  } finally {
    await client.close(true);
  }
}
