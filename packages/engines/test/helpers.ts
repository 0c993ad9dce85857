import { type ChildProcess, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { chmod, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { processTable } from "../src/watcher/processes.ts";

export const linux = process.platform === "linux";

/** Polls until a condition holds; fails with what was last seen. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  holds: (seen: T) => boolean,
  withinMs = 10_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (Date.now() > deadline)
      throw new Error(`not within ${withinMs} ms; last seen: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A folder of the test's own, which servers of another user can pass through. */
export async function ownFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = mkdtempSync(join(tmpdir(), "engines-test-"));
  await chmod(path, 0o711);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Everybody who works in a folder or names it in his command line. Linux only. */
export function processesIn(folder: string): string[] {
  const found: string[] = [];
  for (const { pid } of processTable().values()) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      const cwd = readlinkSync(`/proc/${pid}/cwd`);
      if (pid !== process.pid && (command.includes(folder) || cwd.startsWith(folder)))
        found.push(`${pid} ${command.trim()}`);
    } catch {
      // Gone between the two looks.
    }
  }
  return found;
}

export function entries(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

export interface Held {
  readonly folder: string;
  readonly ports: number[];
  readonly app: number;
}

/** Starts a program of `fixtures/`, with its run in a folder of the test's own. */
export function startRunner(
  stage: string,
  folder: string,
  env: NodeJS.ProcessEnv = {},
  fixture = "runner.ts",
): { child: ChildProcess; held: Promise<Held> } {
  const child = spawn(process.execPath, [join(import.meta.dirname, "fixtures", fixture), stage], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, KATA_RUNS: folder, ...env },
  });
  const held = new Promise<Held>((resolve, reject) => {
    if (child.stdout)
      createInterface(child.stdout).once("line", (line) => resolve(JSON.parse(line) as Held));
    child.once("exit", () => reject(new Error("the runner ended early")));
  });
  held.catch(() => {});
  return { child, held };
}

/** Ids of the System V shared memory segments of this machine. Linux only. */
export function segments(): string[] {
  const [, ...rows] = readFileSync("/proc/sysvipc/shm", "utf8").trimEnd().split("\n");
  return rows.map((row) => row.trim().split(/\s+/)[1] ?? "");
}

/** A folder that looks as Debian's PostgreSQL 17 does from outside. @returns the path of its server */
export function fakePostgres(folder: string, libraries: string[], controls: string[]): string {
  const files = [
    ...["bin/postgres", "bin/initdb", ...libraries.map((name) => `lib/${name}`)].map(
      (file) => `usr/lib/postgresql/17/${file}`,
    ),
    ...controls.map((name) => `usr/share/postgresql/17/extension/${name}.control`),
  ];
  for (const path of files.map((file) => join(folder, file))) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "#!/bin/sh\necho 'postgres (PostgreSQL) 17.6 (Debian)'\n", { mode: 0o755 });
  }
  return join(folder, "usr/lib/postgresql/17/bin/postgres");
}
