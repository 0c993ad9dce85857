/** What must be seen while each fault lasts, and after it. */
import { randomBytes } from "node:crypto";
import { setTimeout as delayed } from "node:timers/promises";
import { expect } from "vitest";
import { blackHole } from "../faults/blackHole.ts";
import { delay } from "../faults/delay.ts";
import { diskFull } from "../faults/diskFull.ts";
import { kill } from "../faults/kill.ts";
import { loading } from "../faults/loading.ts";
import { outOfMemory } from "../faults/outOfMemory.ts";
import { pause } from "../faults/pause.ts";
import { readonly } from "../faults/readonly.ts";
import { resetConnections } from "../faults/resetConnections.ts";
import { restart } from "../faults/restart.ts";
import { restartEmpty } from "../faults/restartEmpty.ts";
import { restartStale } from "../faults/restartStale.ts";
import { stop } from "../faults/stop.ts";
import type { Fault, Lease } from "../types.ts";
import type { Kit, Session } from "./kit.ts";

type Scenario = (lease: Lease, kit: Kit) => Promise<void>;

/** How long silence must last to count as silence. */
const silenceMs = 150;

/** By the fault's name. A fault without a scenario is not proven, and its test says so by being skipped. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  kill: (lease, kit) => downAndUp(kill, lease, kit),
  stop: (lease, kit) => downAndUp(stop, lease, kit),

  async pause(lease, kit) {
    const url = await lease.urlFor("a");
    const session = await written(kit, url);
    const fault = await lease.inject(pause);
    const pending = session.get("key");
    expect(await silent(pending)).toBe(true);
    await fault.heal();
    expect(await pending).toBe("before");
    // Killed while it is paused, and both healed: no deadlock.
    const paused = await lease.inject(pause);
    const killed = await lease.inject(kill);
    await killed.heal();
    await paused.heal();
    await answers(kit, url, "before");
    await session.close().catch(() => {});
  },

  async restart(lease, kit) {
    const url = await lease.urlFor("a");
    const session = await written(kit, url);
    await lease.inject(restart);
    await broke(kit, session);
    expect(await lease.urlFor("a")).toBe(url);
    await answers(kit, url, "before");
  },

  async restartEmpty(lease, kit) {
    const url = await lease.urlFor("a");
    await (await written(kit, url)).close();
    await lease.inject(restartEmpty);
    await answers(kit, url, undefined);
    await (await written(kit, url)).close();
  },

  async restartStale(lease, kit) {
    const url = await lease.urlFor("a");
    const session = await written(kit, url);
    const snapshot = await lease.snapshot();
    // Taking it disturbed nobody.
    await session.set("key", "after");
    await session.set("later", "after");
    await lease.inject(restartStale, { snapshot });
    await broke(kit, session);
    await answers(kit, url, "before");
    const stale = await kit.connect(url);
    expect(await stale.get("later")).toBeUndefined();
    await stale.set("key", "after");
    await stale.close();
    // It serves more than once.
    await lease.inject(restartStale, { snapshot });
    await answers(kit, url, "before");
    await expect(lease.inject(restartStale, { snapshot: { takenAt: 0 } })).rejects.toMatchObject({
      code: "SNAPSHOT_UNKNOWN",
    });
  },

  readonly: (lease, kit) => writesRefused(readonly, lease, kit, /READONLY|read-only/),
  outOfMemory: (lease, kit) => writesRefused(outOfMemory, lease, kit, /OOM/),

  async diskFull(lease, kit) {
    const url = await lease.urlFor("a");
    const session = await written(kit, url);
    const active = await lease.inject(diskFull);
    const kept = await fillUp(session, "full");
    // Who is refused is none the worse, and reading goes on.
    expect(await session.get("key")).toBe("before");
    await expect(session.administer?.()).rejects.toThrow();
    await active.heal();
    await session.set("key", "after");
    await session.close();
    // Whoever is killed meanwhile comes back whole, too.
    const again = await lease.inject(diskFull);
    const writer = await kit.connect(url);
    kept.push(...(await fillUp(writer, "full again")));
    const killed = await lease.inject(kill);
    await again.heal();
    await killed.heal();
    await answers(kit, url, "after");
    const reader = await kit.connect(url);
    for (const key of kept) expect(await reader.get(key)).toBe(large);
    await reader.close();
    // A disk that is replaced has room.
    await lease.inject(diskFull);
    await lease.inject(restartEmpty);
    await (await written(kit, url)).close();
  },

  async loading(lease, kit) {
    const url = await lease.urlFor("a");
    const session = await written(kit, url);
    const refusal = /LOADING|starting up/;
    const active = await lease.inject(loading);
    await expect(session.get("key")).rejects.toThrow();
    // Connections are accepted, at once, and more than one; what is asked of them is not answered.
    for (let i = 0; i < 3; i += 1) await expect(asked(kit, url)).rejects.toThrow(refusal);
    await active.heal();
    expect(await lease.urlFor("a")).toBe(url);
    await answers(kit, url, "before");
    await (await written(kit, url)).close();
    // Whoever is killed meanwhile comes back whole, too.
    const again = await lease.inject(loading);
    await expect(asked(kit, url)).rejects.toThrow(refusal);
    await (await lease.inject(kill)).heal();
    await answers(kit, url, "before");
    await again.heal();
    await answers(kit, url, "before");
    await (await written(kit, url)).close();
  },

  async delay(lease, kit) {
    const [near, far] = [
      await written(kit, await lease.urlFor("a")),
      await written(kit, await lease.urlFor("b")),
    ];
    const ms = 60;
    const fault = await lease.inject(delay, { ms, nodes: ["b"] });
    expect(await duration(far)).toBeGreaterThanOrEqual(2 * ms - 2);
    expect(await quickest(near)).toBeLessThan(2 * ms);
    await fault.heal();
    expect(await quickest(far)).toBeLessThan(2 * ms);
    await Promise.all([near.close(), far.close()]);
  },

  async blackHole(lease, kit) {
    const [cut, whole] = [
      await written(kit, await lease.urlFor("a")),
      await written(kit, await lease.urlFor("b")),
    ];
    const fault = await lease.inject(blackHole, { nodes: ["a", "late"] });
    const lost = cut.set("key", "lost");
    lost.catch(() => {});
    const late = kit.connect(await lease.urlFor("late"));
    late.catch(() => {});
    expect(await silent(lost)).toBe(true);
    expect(await silent(late)).toBe(true);
    expect(await whole.get("key")).toBe("before");
    await fault.heal();
    await expect(lost).rejects.toThrow();
    if (kit.reconnects) await late.then((session) => session.close()).catch(() => {});
    else await expect(late).rejects.toThrow();
    await answers(kit, await lease.urlFor("a"), "before");
    await whole.close();
  },

  async resetConnections(lease, kit) {
    const url = await lease.urlFor("a");
    const [broken, whole] = [await written(kit, url), await written(kit, await lease.urlFor("b"))];
    await lease.inject(resetConnections, { nodes: ["a"] });
    await broke(kit, broken);
    expect(await whole.get("key")).toBe("before");
    await answers(kit, url, "before");
    await whole.close();
  },
};

async function downAndUp(fault: Fault, lease: Lease, kit: Kit): Promise<void> {
  const url = await lease.urlFor("a");
  const session = await written(kit, url);
  await using active = await lease.inject(fault);
  await expect(session.get("key")).rejects.toThrow();
  await expect(kit.connect(url)).rejects.toThrow();
  await active.heal();
  expect(await lease.urlFor("a")).toBe(url);
  await answers(kit, url, "before");
}

async function writesRefused(fault: Fault, lease: Lease, kit: Kit, refusal: RegExp): Promise<void> {
  const url = await lease.urlFor("a");
  await (await written(kit, url)).close();
  const active = await lease.inject(fault);
  const session = await kit.connect(url);
  expect(await session.get("key")).toBe("before");
  await expect(session.set("key", "refused")).rejects.toThrow(refusal);
  // A submission's own rights don't end it, and the connection is none the worse.
  await expect(session.administer?.()).rejects.toThrow();
  await expect(session.set("key", "refused")).rejects.toThrow(refusal);
  expect(await session.get("key")).toBe("before");
  await active.heal();
  await session.set("key", "after");
  await session.close();
  await answers(kit, url, "after");
  // Whoever is killed meanwhile comes back whole, too.
  const again = await lease.inject(fault);
  await (await lease.inject(kill)).heal();
  await again.heal();
  await answers(kit, url, "after");
  await (await written(kit, url)).close();
}

/** More than a page of any engine's has room for, many times; it can't be compressed. */
const large = randomBytes(3_000).toString("base64");

/** Writes until there is no room. @returns the keys that were acknowledged */
async function fillUp(session: Session, prefix: string): Promise<string[]> {
  const kept: string[] = [];
  const filling = async () => {
    while (kept.length < 1_000) {
      const key = `${prefix} ${kept.length}`;
      await session.set(key, large);
      kept.push(key);
    }
  };
  await expect(filling()).rejects.toThrow(/No space left on device|MISCONF/);
  return kept;
}

async function written(kit: Kit, url: string): Promise<Session> {
  const session = await kit.connect(url);
  await session.set("key", "before");
  return session;
}

async function answers(kit: Kit, url: string, value: string | undefined): Promise<void> {
  const session = await kit.connect(url);
  expect(await session.get("key")).toBe(value);
  await session.close();
}

/** Its connection is gone; a client that renews it may not have noticed. */
async function broke(kit: Kit, session: Session): Promise<void> {
  if (kit.reconnects) await session.get("key").catch(() => {});
  else await expect(session.get("key")).rejects.toThrow();
}

/** Whether a connection or its first question is refused is the engine's choice. */
async function asked(kit: Kit, url: string): Promise<void> {
  const session = await kit.connect(url);
  try {
    await session.get("key");
  } finally {
    await session.close().catch(() => {});
  }
}

/** Of a few: on a busy machine any one may be slow, but none that is delayed is quick. */
async function quickest(session: Session): Promise<number> {
  const all: number[] = [];
  while (all.length < 5) all.push(await duration(session));
  return Math.min(...all);
}

async function duration(session: Session): Promise<number> {
  const start = performance.now();
  await session.get("key");
  return performance.now() - start;
}

async function silent(work: Promise<unknown>): Promise<boolean> {
  const settled = work.then(
    () => false,
    () => false,
  );
  return Promise.race([settled, delayed(silenceMs, true)]);
}
