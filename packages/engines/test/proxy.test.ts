import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { TcpProxy } from "../src/proxy.ts";
import { eventually } from "./helpers.ts";

interface Rig extends AsyncDisposable {
  readonly proxy: TcpProxy;
  readonly server: Server;
  /** Connections as the server sees them. */
  readonly accepted: Socket[];
  client(): Promise<Socket>;
}

/** A proxy before a server that does what it is told. */
async function rig(
  onConnection: (socket: Socket) => void = (socket) => socket.pipe(socket),
): Promise<Rig> {
  const accepted: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket);
    socket.on("error", () => {});
    onConnection(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const proxy = await TcpProxy.listen("a", () => ({ host: "127.0.0.1", port }));
  return {
    proxy,
    server,
    accepted,
    async client() {
      const socket = connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true });
      socket.on("error", () => {});
      await once(socket, "connect");
      return socket;
    },
    async [Symbol.asyncDispose]() {
      await proxy.close();
      for (const socket of accepted) socket.destroy();
      server.close();
    },
  };
}

async function echo(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  let received = "";
  while (received.length < text.length) received += String((await once(socket, "data"))[0]);
  return received;
}

function ending(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once("end", () => resolve("end"));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
  });
}

test("bytes pass both ways and are counted", async () => {
  await using each = await rig();
  const client = await each.client();
  expect(await echo(client, "hello")).toBe("hello");
  expect(each.proxy.traffic).toEqual({ connections: 1, open: 1, bytesUp: 5, bytesDown: 5 });
  client.end();
  await expect.poll(() => each.proxy.traffic.open).toBe(0);
  expect(each.proxy.traffic.connections).toBe(1);
});

test("a refused upstream is a reset to the client", async () => {
  await using each = await rig();
  each.server.close();
  const client = await each.client();
  expect(await ending(client)).toBe("ECONNRESET");
});

test("a client that has finished sending still hears the answer", async () => {
  await using each = await rig((socket) => {
    socket.resume();
    socket.once("end", () => socket.end("goodbye"));
  });
  const client = await each.client();
  client.end();
  expect(String((await once(client, "data"))[0])).toBe("goodbye");
});

test("a client's reset reaches the server as a reset, and the other way round", async () => {
  await using each = await rig();
  const client = await each.client();
  await echo(client, "x");
  const seen = ending(each.accepted[0] as Socket);
  client.resetAndDestroy();
  expect(await seen).toBe("ECONNRESET");

  const second = await each.client();
  await echo(second, "x");
  const heard = ending(second);
  (each.accepted[1] as Socket).resetAndDestroy();
  expect(await heard).toBe("ECONNRESET");
});

test("a reader that doesn't read makes the sender wait", async () => {
  await using each = await rig((socket) => socket.pause());
  const client = await each.client();
  const sent = 64 << 20;
  const chunk = Buffer.alloc(1 << 20);
  for (let bytes = 0; bytes < sent; bytes += chunk.length) client.write(chunk);
  // Until the buffers of two connections are full; what the proxy has taken stays far below what was sent.
  let last = -1;
  await eventually(
    async () => {
      const settled = each.proxy.traffic.bytesUp === last;
      last = each.proxy.traffic.bytesUp;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return settled;
    },
    (settled) => settled,
  );
  expect(last).toBeLessThan(sent / 2);
  each.accepted[0]?.resume();
  await eventually(
    () => each.proxy.traffic.bytesUp,
    (bytes) => bytes === sent,
  );
});

describe("delay", () => {
  test("each direction takes longer, jitter keeps the order, letting go hurries what waits", async () => {
    await using each = await rig();
    const client = await each.client();
    const undo = each.proxy.delay({ ms: 40, jitterMs: 30 });
    const start = performance.now();
    const text = "abcdefghijklmnopqrstuvwxyz";
    const received: string[] = [];
    client.on("data", (bytes) => received.push(String(bytes)));
    for (const letter of text) {
      client.write(letter);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await eventually(
      () => received.join(""),
      (seen) => seen === text,
    );
    expect(performance.now() - start).toBeGreaterThanOrEqual(2 * 10);
    undo();

    const long = each.proxy.delay({ ms: 60_000 });
    client.write("!");
    await eventually(
      () => each.proxy.traffic.bytesUp,
      (bytes) => bytes === text.length + 1,
    );
    long();
    await eventually(
      () => received.join(""),
      (seen) => seen === `${text}!`,
    );
  });

  test("several add up and are let go of one by one", async () => {
    await using each = await rig();
    const client = await each.client();
    const undo = [each.proxy.delay({ ms: 30 }), each.proxy.delay({ ms: 30 })];
    const duration = async () => {
      const start = performance.now();
      await echo(client, "x");
      return performance.now() - start;
    };
    expect(await duration()).toBeGreaterThanOrEqual(118);
    undo[0]?.();
    expect(await duration()).toBeGreaterThanOrEqual(58);
    undo[1]?.();
    expect(await duration()).toBeLessThan(58);
  });
});

describe("black hole", () => {
  test("what was sent never arrives; who lost bytes is reset after it, who was idle lives on", async () => {
    await using each = await rig();
    const [busy, idle] = [await each.client(), await each.client()];
    await echo(busy, "1");
    await echo(idle, "2");
    const undo = each.proxy.blackHole();
    busy.write("lost");
    const newcomer = await each.client();
    newcomer.write("hello?");
    // The proxy has read it all once the client has nothing left to send.
    await eventually(
      () => [busy.writableLength, newcomer.writableLength],
      (waiting) => waiting.every((bytes) => bytes === 0),
    );
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(each.proxy.traffic.bytesUp).toBe(2);
    expect(each.accepted.length).toBe(2);
    const endings = Promise.all([ending(busy), ending(newcomer)]);
    undo();
    expect(await endings).toEqual(["ECONNRESET", "ECONNRESET"]);
    expect(await echo(idle, "still here")).toBe("still here");
  });

  test("a client's reset is lost in it too", async () => {
    await using each = await rig();
    const client = await each.client();
    await echo(client, "x");
    const undo = each.proxy.blackHole();
    const seen = ending(each.accepted[0] as Socket);
    client.resetAndDestroy();
    const early = await Promise.race([
      seen,
      new Promise((resolve) => setTimeout(resolve, 80, "nothing")),
    ]);
    expect(early).toBe("nothing");
    undo();
    expect(await seen).toBe("ECONNRESET");
  });
});

test("resetConnections ends both sides, and the next connection works", async () => {
  await using each = await rig();
  const client = await each.client();
  await echo(client, "x");
  const endings = Promise.all([ending(client), ending(each.accepted[0] as Socket)]);
  each.proxy.resetConnections();
  expect(await endings).toEqual(["ECONNRESET", "ECONNRESET"]);
  expect(await echo(await each.client(), "again")).toBe("again");
});
