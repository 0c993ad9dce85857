import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { Bystander } from "../../bench/bystander.ts";

async function listening(): Promise<{ server: WebSocketServer; url: string }> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  await once(server, "listening");
  return { server, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/a?b=c` };
}

test("a bystander tells what is short, skips what is long, however it is cut, answers pings and is understood", async () => {
  const { server, url } = await listening();
  const accepted = once(server, "connection");
  const bystander = await Bystander.connect(url);
  const [socket, { url: asked }] = (await accepted) as [WebSocket, { url: string }];
  expect(asked).toBe("/a?b=c");
  const told: string[] = [];
  bystander.on("message", (payload: Buffer) => told.push(String(payload)));

  const sizes = [0, 1, 125, 126, 512, 513, 4_000, 65_535, 65_536, 300_000, 1_000_000];
  const texts = sizes.map((size, i) => String.fromCharCode(97 + i).repeat(size));
  for (const text of texts) {
    socket.send(text);
    socket.send(`after ${text.length}`);
  }
  const pong = once(socket, "pong");
  socket.ping("are you there?");
  expect(String((await pong)[0])).toBe("are you there?");
  const expected = texts.flatMap((text) => [text, `after ${text.length}`]);
  expect(told).toEqual(expected.filter((text) => text.length <= 512));

  for (const payload of ["", "short", "x".repeat(200), "y".repeat(65_535)]) {
    const heard = once(socket, "message");
    bystander.send(payload);
    expect(String((await heard)[0])).toBe(payload);
  }
  const heard = once(socket, "message");
  bystander.send(new Uint8Array([1, 2, 3]));
  expect(await heard).toEqual([Buffer.from([1, 2, 3]), true]);

  const closed = once(bystander, "close");
  socket.terminate();
  await closed;
});

test("a bystander who isn't let in hears of it", async () => {
  const { server, url } = await listening();
  server.options.verifyClient = () => false;
  await expect(Bystander.connect(url)).rejects.toThrow("refused a connection");
});
