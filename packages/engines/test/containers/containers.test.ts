import { once } from "node:events";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import pg from "pg";
import { expect, test } from "vitest";
import { openEngines } from "../../src/index.ts";
import { type RunRecord, recordFile } from "../../src/watcher/record.ts";
import { folderPrefix, sweep } from "../../src/watcher/sweep.ts";
import { entries, eventually, ownFolder, startRunner } from "../helpers.ts";
import { ask, containersOf, describeContainers, type Inspected, volumesAmong } from "./here.ts";

const engines = ["postgres", "redis"];

function runOf(folder: string): string {
  return basename(folder).slice(folderPrefix.length);
}

/** The id of the run that has its folder in there, as soon as it has a container. */
async function starting(folder: string): Promise<string> {
  const [name = ""] = await eventually(
    () => entries(folder),
    (names) => names.length > 0,
  );
  await eventually(
    () => containersOf(runOf(name)),
    (ids) => ids.length > 0,
  );
  return runOf(name);
}

describeContainers("containers", (env) => {
  test("are published on loopback only", async () => {
    await using run = await openEngines({ env });
    for (const engine of engines) await run.lease(engine);
    const ids = await containersOf(run.id);
    expect(ids).toHaveLength(engines.length);
    for (const id of ids) {
      const { HostConfig, NetworkSettings } = await ask<Inspected>(`/containers/${id}/json`);
      // What we asked for, whatever the engine would have done by itself, and what came of it.
      for (const ports of [HostConfig.PortBindings, NetworkSettings.Ports]) {
        expect(Object.values(ports).flat()).toMatchObject([{ HostIp: "127.0.0.1" }]);
      }
    }
  });

  test("go with their volumes when a lease ends, or the run", async () => {
    await using run = await openEngines({ env });
    const lease = await run.lease("redis", { isolation: "instance" });
    await run.lease("redis");
    const volumes: string[] = [];
    for (const id of await containersOf(run.id)) {
      const { Mounts } = await ask<Inspected>(`/containers/${id}/json`);
      volumes.push(...Mounts.map(({ Name }) => Name));
    }
    expect(await volumesAmong(volumes)).toHaveLength(2);
    await lease[Symbol.asyncDispose]();
    expect(await containersOf(run.id)).toHaveLength(1);
    await run[Symbol.asyncDispose]();
    expect(await containersOf(run.id)).toEqual([]);
    expect(await volumesAmong(volumes)).toEqual([]);
  });

  test("are removed when the runner is killed with -9, also paused ones", async () => {
    await using temporary = await ownFolder();
    const { child, held } = startRunner("pause", temporary.path, env);
    const run = runOf((await held).folder);
    expect(await containersOf(run)).toHaveLength(3);
    child.kill("SIGKILL");
    await eventually(
      () => entries(temporary.path),
      (names) => names.length === 0,
    );
    expect(await containersOf(run)).toEqual([]);
  });

  // Some moments of a run's start-up, whatever happens to be under way then; at once, since a watcher whose
  // run died takes seconds to be sure that nothing is left.
  test.concurrent.each([0, 200])(
    "are removed when the runner is killed with -9, %i ms after its first one was there",
    async (ms) => {
      await using temporary = await ownFolder();
      const { child } = startRunner("start", temporary.path, env);
      const run = await starting(temporary.path);
      await new Promise((resolve) => setTimeout(resolve, ms));
      child.kill("SIGKILL");
      // The watcher's folder goes last: of that run, nothing comes after.
      await eventually(
        () => entries(temporary.path),
        (names) => names.length === 0,
      );
      expect(await containersOf(run)).toEqual([]);
    },
  );

  test("are removed by the next run when the watcher was killed, too", async () => {
    await using temporary = await ownFolder();
    const { child, held } = startRunner("lease", temporary.path, env);
    const { folder } = await held;
    const run = runOf(folder);
    const { watcher } = JSON.parse(readFileSync(join(folder, recordFile), "utf8")) as RunRecord;
    for (const pid of [child.pid as number, watcher.pid]) process.kill(pid, "SIGKILL");
    await once(child, "exit");
    expect(await containersOf(run)).toHaveLength(3);
    await sweep(join(temporary.path, `${folderPrefix}00000000`));
    expect(await containersOf(run)).toEqual([]);
    expect(entries(temporary.path)).toEqual([]);
  });

  test("are removed on SIGTERM during start-up", async () => {
    await using temporary = await ownFolder();
    const { child, held } = startRunner("start", temporary.path, env);
    const run = await starting(temporary.path);
    child.kill("SIGTERM");
    await expect(held).rejects.toThrow("ended early");
    await eventually(
      () => entries(temporary.path),
      (names) => names.length === 0,
    );
    expect(await containersOf(run)).toEqual([]);
  });

  test("are gone on SIGINT before the runner ends by it", async () => {
    await using temporary = await ownFolder();
    const { child, held } = startRunner("lease", temporary.path, env);
    const { folder } = await held;
    child.kill("SIGINT");
    const [, signal] = (await once(child, "exit")) as [number | null, string | null];
    expect(signal).toBe("SIGINT");
    expect(await containersOf(runOf(folder))).toEqual([]);
    expect(entries(temporary.path)).toEqual([]);
  });

  test("of an image that is nowhere: one error, with the way out", async () => {
    await using run = await openEngines({
      env: { ...env, KATA_IMAGE_REDIS: "127.0.0.1:1/db-katas/nowhere:1" },
    });
    await expect(run.lease("redis")).rejects.toMatchObject({
      code: "FETCH_FAILED",
      remedy: expect.stringMatching(/^docker pull .* KATA_IMAGE_REDIS=.* KATA_ENGINES=process$/),
    });
  });

  test("tell about themselves: memory, log, and why one doesn't start", async () => {
    await using run = await openEngines({ env });
    const { engine } = await run.lease("postgres");
    expect(await engine.memory()).toBeGreaterThan(1e6);
    expect(await engine.log()).toContain("ready to accept connections");
    await using wrong = await openEngines({
      env: { ...env, KATA_IMAGE_POSTGRES: env.KATA_IMAGE_REDIS },
    });
    await expect(wrong.lease("postgres")).rejects.toMatchObject({
      code: expect.stringMatching(/START_FAILED|CONTAINER_RUNTIME_FAILED/),
    });
  });

  const debian = env.KATA_IMAGE_POSTGRES === "db-katas/postgres";
  test.runIf(debian)("have the extensions of Debian's packages", async () => {
    await using run = await openEngines({ env });
    const lease = await run.lease("postgres");
    const admin = new pg.Client(lease.engine.adminUrl);
    admin.on("error", () => {});
    await admin.connect();
    const { rows } = await admin.query(
      "SELECT name FROM pg_available_extensions WHERE name IN ('vector', 'pg_cron', 'hypopg') ORDER BY name",
    );
    expect(rows.map(({ name }) => name)).toEqual(["hypopg", "pg_cron", "vector"]);
    // Changes of this cluster come out as JSON.
    await admin.query("SELECT pg_create_logical_replication_slot('slot', 'wal2json')");
    await admin.query("SELECT pg_drop_replication_slot('slot')");
    await admin.end();
  });
});
