import { once } from "node:events";
import { connect, createServer } from "node:net";
import fc from "fast-check";
import { Redis } from "ioredis";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { wire as redisWire } from "../src/definitions/redis/wire.ts";
import { blackHole } from "../src/faults/blackHole.ts";
import { delay } from "../src/faults/delay.ts";
import { resetConnections } from "../src/faults/resetConnections.ts";
import { WireGate } from "../src/gate.ts";
import { type EngineRun, formatUtterance, type Lease, openEngines } from "../src/index.ts";
import { TcpProxy } from "../src/proxy.ts";
import { Transcript } from "../src/transcript.ts";
import { eventually } from "./helpers.ts";

let run: EngineRun;
beforeAll(async () => {
  run = await openEngines();
});
afterAll(() => run[Symbol.asyncDispose]());

async function postgres(lease: Lease, node: string) {
  const client = new pg.Client(await lease.urlFor(node));
  client.on("error", () => {});
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end().catch(() => {}) });
}

async function redis(lease: Lease, node: string) {
  const client = new Redis(await lease.urlFor(node), {
    lazyConnect: true,
    retryStrategy: () => null,
  });
  client.on("error", () => {});
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: async () => client.disconnect() });
}

describe("PostgreSQL", () => {
  test("a's COMMIT is held until b has read", async () => {
    await using lease = await run.lease("postgres");
    await using a = await postgres(lease, "a");
    await using b = await postgres(lease, "b");
    await a.query("CREATE TABLE t (x int)");
    using gate = lease.gate({ node: "a", match: /^commit$/i });
    await a.query("BEGIN");
    await a.query("INSERT INTO t VALUES ($1)", [1]);
    const committed = a.query("COMMIT");
    expect((await gate.held).text).toBe("COMMIT");
    expect((await b.query("SELECT * FROM t")).rows).toEqual([]);
    gate.release();
    await committed;
    expect((await b.query("SELECT * FROM t")).rows).toEqual([{ x: 1 }]);
  });

  test("a statement with parameters is held before it has a snapshot", async () => {
    await using lease = await run.lease("postgres");
    await using a = await postgres(lease, "a");
    await using b = await postgres(lease, "b");
    await b.query("CREATE TABLE t (x int)");
    await a.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
    using gate = lease.gate({ node: "a", match: "SELECT x FROM t" });
    const read = a.query("SELECT x FROM t WHERE x > $1", [0]);
    expect((await gate.held).text).toBe("SELECT x FROM t WHERE x > $1 [0]");
    await b.query("INSERT INTO t VALUES (1)");
    gate.release();
    expect((await read).rows).toEqual([{ x: 1 }]);
  });

  test("a prepared statement is found by its text each time it is executed", async () => {
    await using lease = await run.lease("postgres");
    await using a = await postgres(lease, "a");
    const ask = (value: string) =>
      a.query({ name: "mine", text: "SELECT $1::text AS v", values: [value] });
    await ask("one");
    using gate = lease.gate({ match: /^SELECT .*two/, direction: "reply" });
    const [two, three] = [ask("two"), ask("three")];
    expect((await gate.held).text).toBe("SELECT $1::text AS v [two]");
    gate.release();
    expect((await two).rows).toEqual([{ v: "two" }]);
    expect((await three).rows).toEqual([{ v: "three" }]);
  });

  test("several gates hold several nodes at once; each goes on by itself", async () => {
    await using lease = await run.lease("postgres");
    await using a = await postgres(lease, "a");
    await using b = await postgres(lease, "b");
    using first = lease.gate({ node: "a", match: "SELECT" });
    using second = lease.gate({ node: "b", match: "SELECT" });
    const order: string[] = [];
    const asked = [
      a.query("SELECT 1").then(() => order.push("a")),
      b.query("SELECT 1").then(() => order.push("b")),
    ];
    await Promise.all([first.held, second.held]);
    second.release();
    await asked[1];
    first.release();
    await asked[0];
    expect(order).toEqual(["b", "a"]);
  });
});

describe("Redis", () => {
  test("a pipelined batch is held in its middle", async () => {
    await using lease = await run.lease("redis");
    await using a = await redis(lease, "a");
    await using b = await redis(lease, "b");
    using gate = lease.gate({ node: "a", match: "SET two" });
    const batch = a.pipeline().set("one", 1).set("two", 2).set("three", 3).exec();
    expect((await gate.held).text).toBe("SET two 2");
    await eventually(
      () => b.mget("one", "two", "three"),
      (values) => values[0] !== null,
    );
    expect(await b.mget("one", "two", "three")).toEqual(["1", null, null]);
    gate.release();
    await batch;
    expect(await b.mget("one", "two", "three")).toEqual(["1", "2", "3"]);
  });

  test("the second GET's reply is held; another connection of the node goes on", async () => {
    await using lease = await run.lease("redis");
    await using a = await redis(lease, "a");
    await using other = await redis(lease, "a");
    await a.set("key", "old");
    using gate = lease.gate({ node: "a", direction: "reply", match: /^GET/, nth: 2 });
    expect(await a.get("key")).toBe("old");
    const read = a.get("key");
    expect(await gate.held).toMatchObject({ connection: 1, text: "GET key" });
    await other.set("key", "new");
    expect(await other.get("key")).toBe("new");
    gate.release();
    expect(await read).toBe("old");
  });

  test("a gate and a delay go together, and a reset ends what is held", async () => {
    await using lease = await run.lease("redis");
    await using a = await redis(lease, "a");
    await using slow = await lease.inject(delay, { ms: 30 });
    using gate = lease.gate({ match: "GET" });
    const begin = performance.now();
    const read = a.get("key");
    await gate.held;
    gate.release();
    expect(await read).toBeNull();
    expect(performance.now() - begin).toBeGreaterThanOrEqual(58);
    await slow.heal();
    using again = lease.gate({ match: "GET" });
    const lost = a.get("key");
    await again.held;
    await lease.inject(resetConnections);
    await expect(lost).rejects.toThrow();
    again.release();
    await using anew = await redis(lease, "a");
    expect(await anew.get("key")).toBeNull();
  });

  test.each(["request", "reply"] as const)(
    "a held %s that is released into a black hole is lost, and then its connection",
    async (direction) => {
      await using lease = await run.lease("redis");
      await using a = await redis(lease, "a");
      await using b = await redis(lease, "b");
      await a.set("key", "old");
      using gate = lease.gate({ node: "a", direction, match: "SET key new" });
      const written = a.set("key", "new");
      written.catch(() => {});
      await gate.held;
      await using hole = await lease.inject(blackHole, { nodes: ["a"] });
      gate.release();
      const arrived = direction === "request" ? "old" : "new";
      expect(await b.get("key")).toBe(arrived);
      await hole.heal();
      await expect(written).rejects.toThrow();
      expect(await b.get("key")).toBe(arrived);
      await using anew = await redis(lease, "a");
      expect(await anew.get("key")).toBe(arrived);
    },
  );

  test("what is held while a black hole comes and goes is none the worse for it", async () => {
    await using lease = await run.lease("redis");
    await using a = await redis(lease, "a");
    using gate = lease.gate({ node: "a", match: "SET" });
    const written = a.set("key", "new");
    await gate.held;
    await (await lease.inject(blackHole, { nodes: ["a"] })).heal();
    gate.release();
    await written;
    expect(await a.get("key")).toBe("new");
    expect(lease.traffic("a").connections).toBe(1);
  });

  test("a gate that nothing reached says what went by", async () => {
    const lease = await run.lease("redis");
    await using a = await redis(lease, "a");
    const gate = lease.gate({ node: "a", match: /^SET session:/, nth: 2 });
    await a.set("session:7", "mine");
    await lease[Symbol.asyncDispose]();
    const error = await gate.held.catch((reason: Error) => reason);
    expect(
      (error as Error).message.replaceAll(/\| a#1 (?!→ SET|← OK {2}\(SET).*\n\s*/g, ""),
    ).toMatchInlineSnapshot(`
      "The gate held nothing: its lease ended first. It waited for request number 2 of node a that matches /^SET session:/, and 1 came
        what was said, the last of it:
        | a#1 → SET session:7 mine
        | a#1 ← OK  (SET session:7 mine)
      Likely cause: the submission does it in other words, on another connection of another node, or not at all
      What to do: look at lease.transcript(); in a check, race gate.held against the call that should get there"
    `);
  });

  test("the transcript is bounded, and can be asked for one node", async () => {
    await using lease = await run.lease("redis");
    await using a = await redis(lease, "a");
    await using b = await redis(lease, "b");
    await Promise.all(
      Array.from({ length: 1_500 }, (_, index) => a.set(`key ${index}`, "x".repeat(1_000))),
    );
    await b.ping();
    expect(lease.transcript()).toHaveLength(500);
    const last = lease.transcript("b").slice(-2);
    expect(last.map(formatUtterance)).toEqual(["b#1 → PING", "b#1 ← PONG  (PING)"]);
    const long = lease.transcript("a").map(({ text }) => text.length);
    expect(Math.max(...long)).toBeLessThanOrEqual(200);
  });
});

test("whatever is cut where and held when, the bytes arrive as they were sent", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: "binary", maxLength: 60 }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 }),
      fc.integer({ min: 1, max: 12 }),
      async (values, sizes, nth) => {
        const received: Buffer[] = [];
        const server = createServer((socket) => {
          socket.on("error", () => {});
          socket.on("data", (bytes) => received.push(bytes));
        });
        server.listen(0, "127.0.0.1");
        await once(server, "listening");
        const { port } = server.address() as { port: number };
        const transcript = new Transcript();
        const gates = new Set<WireGate>();
        const gate: WireGate = new WireGate({ match: /^SET/, nth }, transcript, () =>
          gates.delete(gate),
        );
        gates.add(gate);
        const proxy = await TcpProxy.listen("a", () => ({ host: "127.0.0.1", port }), {
          wire: redisWire,
          transcript,
          gates,
        });
        const messages = values.map((value) =>
          Buffer.from(`*2\r\n$3\r\nSET\r\n$${Buffer.byteLength(value)}\r\n${value}\r\n`),
        );
        const sent = Buffer.concat(messages);
        const client = connect({ port: proxy.port, host: "127.0.0.1", noDelay: true });
        client.on("error", () => {});
        for (let at = 0, turn = 0; at < sent.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          await new Promise((resolve) => client.write(sent.subarray(at, at + size), resolve));
          at += size;
        }
        const arrived = () => Buffer.concat(received);
        try {
          if (nth <= messages.length) {
            await gate.held;
            // All of the message but what had passed before anybody could know what it is.
            const end = Buffer.concat(messages.slice(0, nth)).length;
            await eventually(
              () => proxy.traffic.bytesUp,
              (bytes) => bytes === sent.length,
            );
            expect(arrived().length).toBeLessThan(end);
          }
          gate.release();
          await eventually(
            () => arrived().length,
            (length) => length === sent.length,
          );
          expect(arrived().equals(sent)).toBe(true);
        } finally {
          client.destroy();
          await proxy.close();
          server.close();
        }
      },
    ),
    { numRuns: 40 },
  );
});
