import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { Outbox } from "../../src/server/outbox.ts";

const LARGE = 16 * 1_024 * 1_024;
const PATIENCE = { timeout: 10_000 };

interface Reader {
  readonly outbox: Outbox;
  readonly socket: WebSocket;
  readonly messages: string[];
}

/** Somebody who has come, and what is sent to them. */
async function reader(server: WebSocketServer, mostBytes: number): Promise<Reader> {
  const accepted = once(server, "connection");
  const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [own, { socket: stream }] = (await accepted) as [WebSocket, { socket: Socket }];
  if (socket.readyState !== WebSocket.OPEN) await once(socket, "open");
  const messages: string[] = [];
  socket.on("message", (data) => messages.push(String(data)));
  return { outbox: new Outbox(own, stream, mostBytes), socket, messages };
}

async function listening(): Promise<WebSocketServer> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  await once(server, "listening");
  return server;
}

/** In parts, as a frame that leaves something out is. */
function payload(text: string): Buffer[] {
  const middle = Math.floor(text.length / 2);
  return [Buffer.from(text.slice(0, middle)), Buffer.from(text.slice(middle))];
}

test("messages of all lengths arrive as they are, also where one reads late and another at once", async () => {
  const server = await listening();
  const [prompt, late] = [await reader(server, LARGE), await reader(server, LARGE)];
  late.socket.pause();
  // A header has 2, 4 or 10 bytes; the last ones are more than the system takes for somebody who waits.
  const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, ...Array(400).fill(20_000)];
  const messages = lengths.map((length, i) => String.fromCharCode(97 + (i % 26)).repeat(length));
  for (const [i, message] of messages.entries()) {
    for (const { outbox } of [prompt, late]) {
      expect(outbox.put(payload(message))).toBe(true);
      if (i % 3 === 0) outbox.flush();
    }
  }
  await expect.poll(() => prompt.messages.length, PATIENCE).toBe(messages.length);
  late.socket.resume();
  await expect.poll(() => late.messages.length, PATIENCE).toBe(messages.length);
  expect(prompt.messages).toEqual(messages);
  expect(late.messages).toEqual(messages);
});

test("more than the limit waits for nobody, and one message can be larger than that", async () => {
  const server = await listening();
  const { outbox, socket, messages } = await reader(server, 1_000);
  socket.pause();
  const large = "x".repeat(LARGE);
  expect(outbox.put(payload(large))).toBe(true);
  expect(outbox.put(payload("more"))).toBe(false);
  socket.resume();
  await expect.poll(() => messages, PATIENCE).toEqual([large]);
  await expect.poll(() => outbox.put(payload("more")), PATIENCE).toBe(true);
  await expect.poll(() => messages.at(-1), PATIENCE).toBe("more");
});

test("what waits for somebody takes little more room than it is long", async () => {
  const server = await listening();
  const { outbox, socket, messages } = await reader(server, LARGE);
  socket.pause();
  const large = Array<string>(100).fill("x".repeat(100_000));
  for (const message of large) expect(outbox.put(payload(message))).toBe(true);
  outbox.flush();
  const before = process.memoryUsage().arrayBuffers;
  const small = Array.from({ length: 2_000 }, (_, i) => `message ${i}`);
  for (const message of small) {
    expect(outbox.put(payload(message))).toBe(true);
    outbox.flush();
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1_024 * 1_024);
  socket.resume();
  await expect.poll(() => messages.length, PATIENCE).toBe(large.length + small.length);
  expect(messages.slice(large.length)).toEqual(small);
});

test("to a connection that is closed nothing is sent, and nothing waits", async () => {
  const server = await listening();
  const { outbox, socket, messages } = await reader(server, 1_000);
  expect(outbox.put(payload("before"))).toBe(true);
  for (const client of server.clients) client.close();
  outbox.flush();
  await once(socket, "close");
  expect(outbox.put(payload("after"))).toBe(true);
  expect(messages).toEqual([]);
});
