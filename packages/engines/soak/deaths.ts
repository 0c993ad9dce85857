/**
 * Deaths of a run and of its watcher, as data, and what is left after them. A death is drawn from a
 * seed; at which point of the run it comes is up to the machine. Linux only.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delayed } from "node:timers/promises";
import fc from "fast-check";
import { killTree, type ProcessRef, processTable } from "../src/watcher/processes.ts";
import { sweep } from "../src/watcher/sweep.ts";

/** Who is ended, by SIGKILL but for Ctrl-C, which is SIGINT to all of the terminal's processes. */
const ways = ["run", "watcher", "run, watcher", "watcher, run", "Ctrl-C", "Ctrl-C, run"] as const;

export interface Death {
  readonly way: (typeof ways)[number];
  /** After the run has been started. */
  readonly afterMs: number;
  /** Between the first and the second blow. */
  readonly gapMs: number;
  /** What the run leases meanwhile. */
  readonly engines: readonly string[];
}

/** As long as a machine that is very busy takes to end some servers. */
const patienceMs = 15_000;

/** @param latestMs the longest that a run lives */
export function drawDeaths(seed: number, count: number, latestMs = 2_500): Death[] {
  const death = fc.record({
    way: fc.constantFrom(...ways),
    afterMs: fc.integer({ min: 0, max: latestMs }),
    gapMs: fc.integer({ min: 0, max: 12 }),
    engines: fc.constantFrom(["redis"], ["redis", "redis"], ["redis", "postgres"]),
  });
  return fc.sample(death, { seed, numRuns: count });
}

/**
 * @param command instead of a run that leases for ever: something else that opens a run
 * @returns what is left of a run that died so, for people; nothing is what it should be
 */
export async function die(
  { way, afterMs, gapMs, engines }: Death,
  command: readonly string[] = [],
): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "engines-deaths-"));
  // Servers of another user pass through it.
  await chmod(folder, 0o711);
  const [file = process.execPath, ...args] = command;
  const victim = [join(import.meta.dirname, "victim.ts"), ...engines];
  const run = spawn(file, command.length > 0 ? args : victim, {
    detached: true, // a group of its own, as a command has that is typed at a terminal
    stdio: "ignore",
    env: { ...process.env, KATA_RUNS: folder },
  });
  const over = once(run, "exit");
  const [first = "run", second] = way.split(", ");
  try {
    await delayed(afterMs);
    const blows = [await aimed(first, run)];
    if (second !== undefined) blows.push(await aimed(second, run));
    for (const [index, blow] of blows.entries()) {
      if (index > 0 && gapMs > 0) await delayed(gapMs);
      blow();
    }
    await Promise.race([over, delayed(patienceMs, undefined, { ref: false })]);
    const nobodyTidies = way === "run, watcher" || way === "watcher, run";
    return await leftIn(folder, nobodyTidies);
  } finally {
    for (const { ref } of traces(folder)) await killTree(ref);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Looks for its target now, so that two blows follow each other closely. */
async function aimed(whom: string, run: ChildProcess): Promise<() => void> {
  const pid = whom === "watcher" ? await watcherOf(run) : run.pid;
  return () => {
    try {
      if (pid === undefined) return;
      if (whom === "Ctrl-C") process.kill(-pid, "SIGINT");
      else process.kill(pid, "SIGKILL");
    } catch {
      // It is gone.
    }
  };
}

/** Waits for it: a run has none in its first moments. */
async function watcherOf(run: ChildProcess): Promise<number | undefined> {
  const main = join("watcher", "main.ts");
  while (run.exitCode === null) {
    const children = [...processTable().values()].filter(({ parent }) => parent === run.pid);
    const watcher = children.find(({ pid }) => commandOf(pid).includes(main));
    if (watcher) return watcher.pid;
    await delayed(1);
  }
  return undefined;
}

/**
 * Waits until there is nothing, or for as long as a busy machine may take.
 * @param sweeping as the next run does
 */
async function leftIn(folder: string, sweeping: boolean): Promise<string[]> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    if (sweeping) await sweep(join(folder, "db-katas-ffffffff"));
    const left = [...traces(folder).map(({ what }) => what), ...readdirSync(folder)];
    if (left.length === 0 || Date.now() > deadline) return left;
    await delayed(50);
  }
}

/**
 * Processes that have anything to do with a folder, be it gone by now: work in it, have a file in it
 * open, or name it in their command line or environment.
 */
function traces(folder: string): { ref: ProcessRef; what: string }[] {
  return [...processTable().values()].flatMap(({ pid, parent, started }) => {
    const open = attempt(() => readdirSync(`/proc/${pid}/fd`), []);
    const links = ["cwd", ...open.map((fd) => `fd/${fd}`)];
    const mentions = [
      commandOf(pid),
      attempt(() => readFileSync(`/proc/${pid}/environ`, "utf8"), ""),
      ...links.map((link) => attempt(() => readlinkSync(`/proc/${pid}/${link}`), "")),
    ];
    if (pid === process.pid || !mentions.some((text) => text.includes(folder))) return [];
    return [{ ref: { pid, started }, what: `${pid} (child of ${parent}) ${commandOf(pid)}` }];
  });
}

function commandOf(pid: number): string {
  return attempt(() => readFileSync(`/proc/${pid}/cmdline`, "utf8"), "").replaceAll("\0", " ");
}

/** A process may be gone between two looks. */
function attempt<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}
