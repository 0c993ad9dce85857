import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import pg from "pg";
import { describe, expect, test, vi } from "vitest";
import { blackHole } from "../src/faults/blackHole.ts";
import { kill } from "../src/faults/kill.ts";
import { clearCache, openEngines } from "../src/index.ts";
import { entries, ownFolder } from "./helpers.ts";

const root = process.getuid?.() === 0;

test("a server whose port was taken while it was down comes back on another, behind the same address", async () => {
  await using run = await openEngines();
  await using lease = await run.lease("postgres", { isolation: "instance" });
  const url = await lease.urlFor("a");
  const port = Number(new URL(lease.engine.adminUrl).port);
  await using fault = await lease.inject(kill);
  const thief = createServer((socket) => socket.on("error", () => {}));
  thief.listen(port, "127.0.0.1");
  await once(thief, "listening");
  await fault.heal();
  expect(Number(new URL(lease.engine.adminUrl).port)).not.toBe(port);
  expect(await lease.urlFor("a")).toBe(url);
  const client = new pg.Client(url);
  client.on("error", () => {});
  await client.connect();
  expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  await client.end();
  thief.close();
});

describe("the cache", () => {
  test("when damaged says so, and is whole again once cleared", async () => {
    await using folder = await ownFolder();
    const env = { ...process.env, KATA_CACHE: join(folder.path, "cache") };
    await using first = await openEngines({ env });
    await first.lease("postgres");
    const [binaries] = entries(env.KATA_CACHE).filter((name) => !name.includes("cluster"));
    rmSync(join(env.KATA_CACHE, binaries ?? "", "bin", "postgres"));
    await using second = await openEngines({ env });
    await expect(second.lease("postgres")).rejects.toMatchObject({
      code: "CACHE_CORRUPT",
      remedy: "pnpm kata doctor --clear-cache",
    });
    await clearCache(env);
    await using lease = await second.lease("postgres");
    expect(lease.engine.version).toMatch(/^18\./);
  });

  test.runIf(root)("where the servers' user can't pass, is refused with the way out", async () => {
    await using folder = await ownFolder();
    const home = join(folder.path, "home");
    mkdirSync(home);
    chmodSync(home, 0o700);
    await using run = await openEngines({
      env: { ...process.env, KATA_CACHE: join(home, "cache") },
    });
    await expect(run.lease("postgres")).rejects.toMatchObject({ code: "CACHE_UNREACHABLE" });
  });
});

test.runIf(root)("a full disk is called by its name", async ({ skip }) => {
  await using folder = await ownFolder();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m,mode=711", "tmpfs", folder.path], {
      stdio: "ignore",
    });
  } catch {
    skip("this sandbox mounts nothing");
  }
  vi.stubEnv("KATA_RUNS", folder.path);
  try {
    const run = await openEngines();
    await expect(run.lease("postgres")).rejects.toMatchObject({ code: "DISK_FULL" });
    await run[Symbol.asyncDispose]();
    expect(entries(folder.path)).toEqual([]);
  } finally {
    vi.unstubAllEnvs();
    execFileSync("umount", [folder.path]);
  }
});

test("a run that is aborted ends with everything that it holds", async () => {
  const abort = new AbortController();
  const run = await openEngines({ signal: abort.signal });
  await run.lease("redis");
  abort.abort();
  await run[Symbol.asyncDispose]();
  expect(entries(run.folder)).toEqual([]);
  await expect(openEngines({ signal: abort.signal })).rejects.toThrow(/abort/);
});

test("reset brings a shared server back to its beginning", async () => {
  await using run = await openEngines();
  for (const name of ["postgres", "redis", "sqlite"]) {
    const first = await run.lease(name);
    await first.urlFor("a");
    await first.engine.reset();
    await using second = await run.lease(name);
    expect(second.engine).toBe(first.engine);
  }
});

test("memory and log tell about a live server", async () => {
  await using run = await openEngines();
  const { engine } = await run.lease("postgres");
  expect(await engine.memory()).toBeGreaterThan(1e6);
  expect(await engine.log()).toContain("ready to accept connections");
});

test("faults of a server and of the network can be made by one loop", async () => {
  await using run = await openEngines();
  await using lease = await run.lease("redis", { isolation: "instance" });
  for (const fault of [kill, blackHole]) {
    await using active = await lease.inject(fault);
    expect(active.name).toBe(fault.name);
  }
});
