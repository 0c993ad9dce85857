/**
 * Faults at random moments under a load of concurrent clients, judged by what each call started and
 * ended with. `CHAOS_SEED` repeats the choices of a run (not its timing), `CHAOS_MS` makes it longer.
 */
import { blackHole } from "@db-katas/engines/faults/blackHole";
import { delay } from "@db-katas/engines/faults/delay";
import { kill } from "@db-katas/engines/faults/kill";
import { pause } from "@db-katas/engines/faults/pause";
import { resetConnections } from "@db-katas/engines/faults/resetConnections";
import { restart } from "@db-katas/engines/faults/restart";
import { restartEmpty } from "@db-katas/engines/faults/restartEmpty";
import { afterAll, expect, test } from "vitest";
import type { SessionNode } from "../contract.ts";
import { BUDGET_MS, type Cluster, closeEngines, openCluster, STALENESS_MS } from "./cluster.ts";

const SEED = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31));
const RUN_MS = Number(process.env.CHAOS_MS ?? 5_000);
const CLIENTS = 6;
const READERS = 6;
/** A call that overran its budget by more than the machine's load explains, in milliseconds. */
const OVERRUN_MS = 400;

/** What one client did to its session. Times are `performance.now()`. */
interface Track {
  id: string;
  /** Acknowledged versions, the oldest first: when, and by which node. */
  readonly acked: { version: number; at: number; node: SessionNode }[];
  /** Set when an end was acknowledged. */
  ended?: { at: number; node: SessionNode };
  /** An end was tried, so that null is an honest answer. */
  mayBeGone: boolean;
  /** The highest version that could exist. */
  highest: number;
}

afterAll(closeEngines);

test.each(["reference", "version-check"])(
  `%s under chaos, seed ${SEED}`,
  async (name) => {
    await using cluster = await openCluster(name);
    const random = generator(SEED);
    const violations: string[] = [];
    const counts = { reads: 0, writes: 0, unavailable: 0, faults: 0 };
    const tracks: Track[] = [];
    const until = performance.now() + RUN_MS;
    const running = (): boolean => performance.now() < until && violations.length === 0;
    const nodes = [cluster.a, cluster.b];
    const anyNode = (): SessionNode => pick(random, nodes);

    async function call<T>(work: () => Promise<T>): Promise<{ value: T } | undefined> {
      const from = performance.now();
      try {
        return { value: await work() };
      } catch (error) {
        const code = error instanceof Error && "code" in error ? error.code : undefined;
        if (code !== "STORE_UNAVAILABLE") violations.push(`unexpected error: ${error}`);
        counts.unavailable++;
        return undefined;
      } finally {
        const ms = performance.now() - from;
        if (ms > BUDGET_MS + OVERRUN_MS) violations.push(`a call took ${ms.toFixed(0)} ms`);
      }
    }

    /** Reads a session and holds the answer against all that had been acknowledged when it started. */
    async function check(track: Track): Promise<void> {
      const node = anyNode();
      const from = performance.now();
      const known = (event: { at: number; node: SessionNode }): boolean =>
        event.node === node ? event.at < from : event.at < from - STALENESS_MS;
      const ended = track.ended && known(track.ended);
      const least = track.acked.findLast(known)?.version ?? 1;
      const read = await call(() => node.get(track.id));
      counts.reads++;
      if (!read) return;
      const { value } = read;
      const where = node === cluster.a ? "a" : "b";
      if (value === null) {
        if (!track.mayBeGone) violations.push(`node ${where} lost a session`);
        return;
      }
      if (ended) violations.push(`node ${where} resurrected a session`);
      if (value.version < least)
        violations.push(`node ${where} saw ${value.version}, not ${least}`);
      if (value.version > track.highest)
        violations.push(`version ${value.version} out of thin air`);
      if (value.version !== value.data.version) violations.push("data of another version");
    }

    async function client(number: number): Promise<void> {
      while (running()) {
        const input = {
          userId: `user-${number}`,
          device: "d",
          data: { version: 1 },
          ttlMs: 60_000,
        };
        const created = await call(() => anyNode().create(input));
        if (!created) continue;
        const track: Track = { id: created.value.id, acked: [], mayBeGone: false, highest: 1 };
        tracks.push(track);
        while (running() && !track.mayBeGone) {
          const node = anyNode();
          const dice = random();
          counts.writes++;
          if (dice < 0.1) {
            track.mayBeGone = true;
            const done = await call(() => node.destroy(track.id));
            if (done) track.ended = { at: performance.now(), node };
          } else if (dice < 0.15) {
            track.mayBeGone = true;
            const done = await call(() => node.rotate(track.id));
            if (done) track.ended = { at: performance.now(), node };
          } else if (dice < 0.3) {
            await call(() => node.touch(track.id, 60_000));
          } else {
            const version = track.highest + 1;
            track.highest = version;
            const expectedVersion = version - 1;
            const done = await call(() =>
              node.update(track.id, { data: { version }, expectedVersion }),
            );
            if (done) track.acked.push({ version, at: performance.now(), node });
            // Whether it happened is unknown: this session has no further writer.
            else break;
          }
          await check(track);
          await sleep(random() * 10);
        }
      }
    }

    async function reader(): Promise<void> {
      while (running()) {
        const track = tracks.at(-1 - Math.floor(random() * Math.min(tracks.length, CLIENTS * 4)));
        if (track) await check(track);
        await sleep(random() * 4);
      }
    }

    async function monkey({ redis }: Cluster): Promise<void> {
      const one = () => ({ nodes: [pick(random, ["a", "b"])] });
      const faults = [
        () => redis.inject(kill),
        () => redis.inject(pause),
        () => redis.inject(restart),
        () => redis.inject(restartEmpty),
        () => redis.inject(resetConnections, one()),
        () => redis.inject(blackHole, one()),
        () => redis.inject(delay, { ...one(), ms: 30, jitterMs: 30 }),
      ];
      while (running()) {
        const active = await pick(random, faults)();
        counts.faults++;
        await sleep(random() * 600);
        await active.heal();
        await sleep(random() * 600);
      }
    }

    await Promise.all([
      ...Array.from({ length: CLIENTS }, (_, number) => client(number)),
      ...Array.from({ length: READERS }, reader),
      monkey(cluster),
    ]);
    // Everything is healed: whatever ended must stay so.
    for (const track of tracks.filter((one) => one.ended)) await check(track);
    console.log(name, counts);
    expect(violations).toEqual([]);
    // PostgreSQL was there all the time.
    expect(counts.unavailable).toBeLessThan((counts.reads + counts.writes) / 20);
  },
  RUN_MS + 30_000,
);

/** mulberry32 */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function pick<T>(random: () => number, list: readonly T[]): T {
  const one = list[Math.floor(random() * list.length)];
  if (one === undefined) throw new RangeError("Nothing to pick from.");
  return one;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
