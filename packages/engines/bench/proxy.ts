/**
 * What it costs that a proxy follows the protocol: the same load through a proxy that passes bytes
 * unread, one that reads them, and one with a gate that nothing reaches. Run: `pnpm bench:proxy`.
 * Arguments: rounds (default 8) and messages per round (default 20000).
 */
import { Redis } from "ioredis";
import pg from "pg";
import { wire as postgresWire } from "../src/definitions/postgres/wire.ts";
import { wire as redisWire } from "../src/definitions/redis/wire.ts";
import { WireGate } from "../src/gate.ts";
import { openEngines } from "../src/index.ts";
import { TcpProxy } from "../src/proxy.ts";
import { Transcript } from "../src/transcript.ts";
import type { Wire } from "../src/wire.ts";

const rounds = Number(process.argv[2] ?? 8);
const messages = Number(process.argv[3] ?? 20_000);

/** @returns three ways to the same server */
async function ways(adminUrl: string, wire: Wire) {
  const { port } = new URL(adminUrl);
  const upstream = () => ({ host: "127.0.0.1", port: Number(port) });
  const audience = (gates: Set<WireGate>) => ({ wire, transcript: new Transcript(), gates });
  const gates = new Set<WireGate>();
  gates.add(new WireGate({ match: /never said/ }, new Transcript(), () => {}));
  const at = async (proxy: TcpProxy) => {
    const url = new URL(adminUrl);
    url.port = String(proxy.port);
    return { proxy, url: url.href };
  };
  return {
    unread: await at(await TcpProxy.listen("unread", upstream)),
    read: await at(await TcpProxy.listen("read", upstream, audience(new Set()))),
    gated: await at(await TcpProxy.listen("gated", upstream, audience(gates))),
  };
}

/** Rounds are interleaved, so that a busy moment of the machine hits all ways alike. */
async function compare(
  what: string,
  count: number,
  works: Record<string, () => Promise<unknown>>,
): Promise<void> {
  const times: Record<string, number[]> = {};
  for (const work of Object.values(works)) await work();
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, work] of Object.entries(works)) {
      const begin = performance.now();
      await work();
      times[name] = [...(times[name] ?? []), ((performance.now() - begin) * 1_000) / count];
    }
  }
  const sorted = (name: string) => (times[name] ?? []).toSorted((a, b) => a - b);
  const median = (name: string) => sorted(name)[Math.floor(rounds / 2)] ?? 0;
  for (const name of Object.keys(works)) {
    const all = sorted(name);
    const more = median(name) - median("unread");
    console.log(
      `${what.padEnd(34)} ${name.padEnd(7)} p50 ${median(name).toFixed(2).padStart(8)} µs a message` +
        `   ${all[0]?.toFixed(2)} … ${all.at(-1)?.toFixed(2)}   ${more >= 0 ? "+" : ""}${more.toFixed(2)} µs`,
    );
  }
}

await using run = await openEngines();
await using redis = await run.lease("redis", { isolation: "instance" });
const redisWays = await ways(redis.adminUrl, redisWire);
const redisClients = Object.entries(redisWays).map(
  ([name, { url }]) => [name, new Redis(url)] as const,
);
const each = (work: (client: Redis) => Promise<unknown>) =>
  Object.fromEntries(redisClients.map(([name, client]) => [name, () => work(client)]));
const value = "x".repeat(100);
await compare(
  "redis, GET, one at a time",
  messages / 10,
  each(async (client) => {
    for (let i = 0; i < messages / 10; i += 1) await client.get("key");
  }),
);
await compare(
  "redis, GET, all at once",
  messages,
  each((client) => Promise.all(Array.from({ length: messages }, () => client.get("key")))),
);
await redisClients[0]?.[1].set("key", value);
await compare(
  "redis, GET of 100 bytes, all at once",
  messages,
  each((client) => Promise.all(Array.from({ length: messages }, () => client.get("key")))),
);
await redisClients[0]?.[1].set("key", "x".repeat(100_000));
await compare(
  "redis, GET of 100 kB, all at once",
  1_000,
  each((client) => Promise.all(Array.from({ length: 1_000 }, () => client.get("key")))),
);
for (const [, client] of redisClients) client.disconnect();

await using postgres = await run.lease("postgres");
const postgresWays = await ways(postgres.adminUrl, postgresWire);
const postgresClients: [string, pg.Client][] = [];
for (const [name, { url }] of Object.entries(postgresWays)) {
  const client = new pg.Client(url);
  await client.connect();
  postgresClients.push([name, client]);
}
const ask = (work: (client: pg.Client) => Promise<unknown>) =>
  Object.fromEntries(postgresClients.map(([name, client]) => [name, () => work(client)]));
const queries = messages / 20;
await compare(
  "postgres, SELECT $1, one at a time",
  queries,
  ask(async (client) => {
    for (let i = 0; i < queries; i += 1) await client.query("SELECT $1::int AS x", [i]);
  }),
);
await compare(
  "postgres, 10000 rows a query",
  20 * 10_000,
  ask(async (client) => {
    for (let i = 0; i < 20; i += 1)
      await client.query("SELECT i, 'text ' || i FROM generate_series(1, 10000) i");
  }),
);
for (const [, client] of postgresClients) await client.end();
for (const { proxy } of [...Object.values(redisWays), ...Object.values(postgresWays)])
  await proxy.close();
