import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openEngines } from "../src/index.ts";
import { smallDisks } from "../src/providers/small-disk.ts";
import { Watcher } from "../src/watcher/client.ts";
import { isAlive, killTree, processRef, processTree } from "../src/watcher/processes.ts";
import { type RunRecord, recordFile } from "../src/watcher/record.ts";
import { segmentsIn } from "../src/watcher/remove.ts";
import { sweep } from "../src/watcher/sweep.ts";
import {
  entries,
  eventually,
  linux,
  listens,
  ownFolder,
  processesIn,
  segments,
  startRunner,
} from "./helpers.ts";

/** Everything that a run leaves must be gone within the 10 s that `eventually` waits. */
async function nothingRemains(folder: string): Promise<void> {
  const remains = () => [
    ...processesIn(folder),
    ...entries(folder).filter((name) => name.startsWith("db-katas-")),
  ];
  await eventually(remains, (found) => found.length === 0);
}

const stages = ["lease", "pause", ...((await smallDisks()) ? ["disk"] : [])];

describe.runIf(linux)("when the runner is killed with -9", () => {
  test.each(stages)("at stage %s, nothing remains", async (stage) => {
    await using temporary = await ownFolder();
    const { child, held } = startRunner(stage, temporary.path);
    const { ports, folder, app } = await held;
    expect(processesIn(temporary.path).some((command) => command.includes("postgres"))).toBe(true);
    const appRef = processRef(app);
    const shared = segmentsIn(folder).map(({ id }) => id);
    expect(shared).toHaveLength(2);
    expect(segments()).toEqual(expect.arrayContaining(shared));
    child.kill("SIGKILL");
    await nothingRemains(temporary.path);
    expect(segments().filter((id) => shared.includes(id))).toEqual([]);
    expect(existsSync(folder)).toBe(false);
    expect(await Promise.all(ports.map(listens))).toEqual(ports.map(() => false));
    expect(appRef && isAlive(appRef)).toBe(false);
  });

  // The moments are spread over the start-up of a run, whatever happens to be under way then.
  test.each([5, 40, 80, 120, 180, 260, 360, 500])(
    "%i ms after its start, nothing remains",
    async (ms) => {
      await using temporary = await ownFolder();
      const { child } = startRunner("start", temporary.path);
      await new Promise((resolve) => setTimeout(resolve, ms));
      child.kill("SIGKILL");
      await once(child, "exit");
      await nothingRemains(temporary.path);
    },
  );

  test("while it fills the cache, no draft remains there", { timeout: 90_000 }, async () => {
    await using temporary = await ownFolder();
    const cache = join(temporary.path, "cache");
    const { child } = startRunner("start", temporary.path, { KATA_CACHE: cache });
    await eventually(
      () => entries(cache),
      (names) => names.some((name) => name.startsWith(".postgres") && name.includes("cluster")),
      // What comes before takes seconds on a machine that is busy: two programs start, one is unpacked.
      60_000,
    );
    child.kill("SIGKILL");
    await nothingRemains(temporary.path);
    await eventually(
      () => entries(cache),
      (names) => !names.some((name) => name.startsWith(".")),
    );
  });
});

test.runIf(linux).each(["SIGINT", "SIGTERM"] as const)(
  "on %s everything is gone before the runner ends by it",
  async (name) => {
    await using temporary = await ownFolder();
    const { child, held } = startRunner("lease", temporary.path);
    await held;
    child.kill(name);
    const [, signal] = (await once(child, "exit")) as [number | null, string | null];
    expect(signal).toBe(name);
    expect(entries(temporary.path).filter((entry) => entry.startsWith("db-katas-"))).toEqual([]);
    await nothingRemains(temporary.path);
  },
);

test("when the watcher itself is killed, its servers are ended, and the run says so", async () => {
  const run = await openEngines();
  const lease = await run.lease("redis", { isolation: "instance" });
  const port = Number(new URL(lease.engine.adminUrl).port);
  const record = JSON.parse(readFileSync(join(run.folder, recordFile), "utf8")) as RunRecord;
  process.kill(record.watcher.pid, "SIGKILL");
  await eventually(
    () => listens(port),
    (answer) => !answer,
  );
  await expect(run.lease("postgres")).rejects.toMatchObject({ code: "WATCHER_DIED" });
  await run[Symbol.asyncDispose]();
  expect(existsSync(run.folder)).toBe(false);
});

describe("what the watcher could not write down is ended all the same", () => {
  /** Lets nobody write the record any more, as a full disk would, and leases two servers. */
  async function unrecorded(parent: string) {
    const run = await openEngines({ env: { ...process.env, KATA_RUNS: parent } });
    const file = join(run.folder, recordFile);
    const record = JSON.parse(readFileSync(file, "utf8")) as RunRecord;
    mkdirSync(`${file}.new`);
    await run.lease("redis", { isolation: "instance" });
    await run.lease("postgres", { isolation: "instance" });
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(record);
    return { run, record };
  }

  test.runIf(linux).each(["with its folder", "without its folder"])(
    "when the watcher is killed, %s",
    async (how) => {
      await using temporary = await ownFolder();
      const { run, record } = await unrecorded(temporary.path);
      expect(processesIn(temporary.path)).not.toEqual([]);
      if (how === "without its folder") rmSync(run.folder, { recursive: true });
      process.kill(record.watcher.pid, "SIGKILL");
      await nothingRemains(temporary.path);
      await run[Symbol.asyncDispose]();
    },
  );

  test.runIf(linux)("when the run that has them dies with its watcher, by the next", async () => {
    await using temporary = await ownFolder();
    const { child, held } = startRunner("lease", temporary.path);
    const { folder, app } = await held;
    const file = join(folder, recordFile);
    const { watcher } = JSON.parse(readFileSync(file, "utf8")) as RunRecord;
    writeFileSync(file, JSON.stringify({ watcher, processes: [processRef(app)], folders: [] }));
    process.kill(watcher.pid, "SIGKILL");
    child.kill("SIGKILL");
    await eventually(
      () => isAlive(watcher),
      (alive) => !alive,
    );
    await sweep(join(temporary.path, "db-katas-00000001"));
    await nothingRemains(temporary.path);
  });
});

test("a lease on a server that has died with its watcher is refused at once", async () => {
  const run = await openEngines();
  const first = await run.lease("redis");
  const port = Number(new URL(first.engine.adminUrl).port);
  const record = JSON.parse(readFileSync(join(run.folder, recordFile), "utf8")) as RunRecord;
  process.kill(record.watcher.pid, "SIGKILL");
  await eventually(
    () => listens(port),
    (answer) => !answer,
  );
  await expect(run.lease("redis")).rejects.toMatchObject({ code: "WATCHER_DIED" });
  await run[Symbol.asyncDispose]();
}, 8_000);

test("who waits for a watcher that dies is told so", async () => {
  const run = await openEngines();
  const record = JSON.parse(readFileSync(join(run.folder, recordFile), "utf8")) as RunRecord;
  process.kill(record.watcher.pid, "SIGSTOP");
  const lease = run.lease("redis", { isolation: "instance" });
  process.kill(record.watcher.pid, "SIGKILL");
  await expect(lease).rejects.toMatchObject({ code: "WATCHER_DIED" });
  await run[Symbol.asyncDispose]();
});

test.runIf(await smallDisks())("what is on a small disk is tidied up by then, too", async () => {
  const run = await openEngines();
  await run.lease("postgres", { isolation: "instance", needs: ["diskFull"] });
  const shared = segmentsIn(run.folder).map(({ id }) => id);
  expect(shared).toHaveLength(1);
  expect(segments()).toEqual(expect.arrayContaining(shared));
  const record = JSON.parse(readFileSync(join(run.folder, recordFile), "utf8")) as RunRecord;
  process.kill(record.watcher.pid, "SIGKILL");
  await run[Symbol.asyncDispose]();
  expect(record.processes.filter(isAlive)).toEqual([]);
  expect(segments().filter((id) => shared.includes(id))).toEqual([]);
  expect(existsSync(run.folder)).toBe(false);
});

test("what a run left whose watcher was killed too is swept away by the next", async () => {
  await using temporary = await ownFolder();
  const server = spawn("sleep", ["600"], { stdio: "ignore", detached: true });
  const ref = processRef(server.pid as number);
  const dead = join(temporary.path, "db-katas-0000dead");
  const young = join(temporary.path, "db-katas-00000002");
  const old = join(temporary.path, "db-katas-00000003");
  const alive = join(temporary.path, "db-katas-00000001");
  // Not named as runs are: somebody else's.
  const foreign = join(temporary.path, "db-katas-notes");
  for (const folder of [dead, young, old, alive, foreign]) mkdirSync(folder);
  for (const folder of [old, foreign]) utimesSync(folder, 0, 0);
  const record = {
    watcher: { pid: process.pid, started: "another time" },
    processes: [ref],
    folders: [dead],
  };
  writeFileSync(join(dead, recordFile), JSON.stringify(record));
  writeFileSync(
    join(alive, recordFile),
    JSON.stringify({ watcher: processRef(process.pid), processes: [], folders: [alive] }),
  );
  await sweep(join(temporary.path, "db-katas-00000004"));
  expect(entries(temporary.path).sort()).toEqual([
    "db-katas-00000001",
    "db-katas-00000002",
    "db-katas-notes",
  ]);
  expect(ref && isAlive(ref)).toBe(false);
});

test.runIf(linux)("what was killed has left not even its pid to whoever looks", async () => {
  await using temporary = await ownFolder();
  await using watching = new AsyncDisposableStack();
  const watcher = new Watcher(join(temporary.path, "run"));
  watching.defer(() => watcher.end());
  const log = join(temporary.path, "log");
  for (let i = 0; i < 50; i++) {
    const { key, pid } = await watcher.launch(`sleep-${i}`, { file: "sleep", args: ["60"], log });
    await watcher.ask({ op: "kill", key });
    // A zombie would still be there: PostgreSQL takes it for the server that has its data folder.
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  }
});

test("a pid that is used again is left alone", async () => {
  const other = spawn("sleep", ["600"], { stdio: "ignore" });
  const ref = processRef(other.pid as number);
  if (!ref) throw new Error("it did not start");
  await killTree({ pid: ref.pid, started: "another time" });
  expect(isAlive(ref)).toBe(true);
  await killTree(ref);
  expect(isAlive(ref)).toBe(false);
});

test("what is no process of ours has no tree", () => {
  // Not by way of killTree: it would be the end of whoever runs this.
  for (const pid of [-1, 0, 1, Number.NaN]) expect(processTree({ pid, started: "" })).toEqual([]);
});

test("two runs at once share nothing but the cache", async () => {
  await using temporary = await ownFolder();
  const env = { ...process.env, KATA_CACHE: join(temporary.path, "cache") };
  await using first = await openEngines({ env });
  await using second = await openEngines({ env });
  const leases = await Promise.all(
    [first, second].flatMap((run) => [run.lease("postgres"), run.lease("redis")]),
  );
  const addresses = new Set(leases.map((lease) => new URL(lease.engine.adminUrl).port));
  expect(addresses.size).toBe(4);
  await first[Symbol.asyncDispose]();
  await using still = await second.lease("postgres");
  expect(still.engine.version).toMatch(/^18\./);
  expect(entries(env.KATA_CACHE).filter((name) => name.startsWith("."))).toEqual([]);
});
