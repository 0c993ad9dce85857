/** How much this machine itself takes for a connection whose other end doesn't read. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

const CHUNK = Buffer.alloc(64 * 1_024);
/** What a process keeps itself, before it waits whether any of it goes, in bytes. */
const KEPT = 4 * CHUNK.length;
/** For how long nothing must go, in milliseconds. */
const STILL_MS = 50;

/**
 * Writes to a connection of its own on this machine until nothing goes any more. Linux grows the buffers of both
 * ends as it sees fit (tcp(7), `tcp_wmem` and `tcp_rmem`), so this is found by trying.
 * @returns bytes
 */
export async function takenUnread(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("A TCP server has a port.");
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const reader = connect(address.port, "127.0.0.1");
  reader.pause();
  const [writer] = await accepted;
  for (const socket of [reader, writer]) socket.on("error", () => {});
  try {
    for (let written = 0; ; written += CHUNK.length) {
      writer.write(CHUNK);
      const waiting = writer.writableLength;
      if (waiting <= KEPT) continue;
      await wait(STILL_MS);
      if (writer.writableLength === waiting) return written + CHUNK.length - waiting;
    }
  } finally {
    reader.destroy();
    writer.destroy();
    server.close();
  }
}
