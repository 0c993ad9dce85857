/**
 * The watcher: one small process per run. It starts the run's servers, and when the pipe to the run
 * closes, for whatever reason, it ends all of them and removes what they left.
 * Arguments: the run's folder.
 */
import { spawn } from "node:child_process";
import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { removeContainers } from "./containers.ts";
import {
  isAlive,
  killTree,
  type ProcessRef,
  pauseTree,
  processesOf,
  processRef,
  processTree,
  signal,
  stopTree,
  treeMemory,
} from "./processes.ts";
import type { ContainerScope, FromWatcher, Launch, ToWatcher } from "./protocol.ts";
import { writeRecord } from "./record.ts";
import { removeData, segmentsIn } from "./remove.ts";
import { sweep } from "./sweep.ts";

const [, , runFolder = ""] = process.argv;
if (!runFolder) throw new Error("usage: main.ts <run folder>");

interface LaunchedProcess {
  readonly ref: ProcessRef;
  /** Resolves when nothing is left of it, not even its pid: a server that is started next may look who has that. */
  readonly reaped: Promise<void>;
}

const launched = new Map<string, LaunchedProcess>();
const adopted = new Map<number, ProcessRef>();
const folders = new Set<string>([runFolder]);
const containers = new Map<string, ContainerScope>();
let ending: Promise<void> | undefined;

function say(message: FromWatcher): void {
  if (process.connected) process.send?.(message, () => {});
}

/** Keeps on disk who is to be ended, for the case that the watcher itself is killed. */
function record(): void {
  const self = processRef(process.pid);
  if (!self || ending) return;
  writeRecord(runFolder, {
    watcher: self,
    processes: [...launchedRefs(), ...adopted.values()],
    folders: [...folders],
    containers: [...containers.values()],
  });
}

function launch(key: string, { file, args, env, cwd, uid, gid, log }: Launch): Promise<number> {
  return new Promise((resolve, reject) => {
    const output = openSync(log, "a");
    const child = spawn(file, args, {
      detached: true,
      stdio: ["ignore", output, output],
      env: env ?? process.env,
      ...(cwd === undefined ? {} : { cwd }),
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    });
    closeSync(output);
    // At once, not when Node says that it runs: the pipe may close in between.
    const { pid } = child;
    const reaped = Promise.withResolvers<void>();
    if (pid !== undefined) {
      // A process that is gone this soon has nobody left to end.
      const ref = processRef(pid) ?? { pid, started: "gone" };
      launched.set(key, { ref, reaped: reaped.promise });
    }
    child.once("error", reject);
    child.once("exit", (code, signalName) => {
      reaped.resolve();
      say({ kind: "exit", key, code, signal: signalName });
    });
    child.once("spawn", () => {
      record();
      resolve(pid as number);
    });
  });
}

function known(key: string): LaunchedProcess {
  const found = launched.get(key);
  if (!found) throw new Error(`nothing called ${key} was launched`);
  return found;
}

function launchedRefs(): ProcessRef[] {
  return [...launched.values()].map(({ ref }) => ref);
}

async function handle(request: ToWatcher): Promise<number | undefined> {
  if (ending) throw new Error("the watcher is ending");
  switch (request.op) {
    case "launch":
      return launch(request.key, request.launch);
    case "signal":
      signal(known(request.key).ref, request.signal);
      return undefined;
    case "pause":
      return pauseTree(known(request.key).ref);
    case "resume":
      for (const row of processTree(known(request.key).ref).reverse()) signal(row, "SIGCONT");
      return undefined;
    case "kill": {
      const { ref, reaped } = known(request.key);
      await killTree(ref);
      await reaped;
      launched.delete(request.key);
      record();
      return undefined;
    }
    case "memory":
      return treeMemory(known(request.key).ref);
    case "adopt": {
      const ref = processRef(request.pid);
      if (ref) adopted.set(request.pid, ref);
      record();
      return undefined;
    }
    case "disown":
      adopted.delete(request.pid);
      record();
      return undefined;
    case "own":
      folders.add(request.folder);
      record();
      return undefined;
    case "remove":
      removeData(request.folder);
      return undefined;
    case "release":
      folders.delete(request.folder);
      record();
      return undefined;
    case "containers":
      containers.set(request.scope.label, request.scope);
      record();
      return undefined;
    case "end":
      // Whoever can ask has waited for what was starting.
      await end(true);
      return undefined;
  }
}

function end(settled: boolean): Promise<void> {
  ending ??= (async () => {
    const doomed = [...launchedRefs(), ...adopted.values(), ...processesOf(runFolder)];
    // All are stopped before any is killed, so that none reacts to the death of another.
    for (const ref of doomed) if (isAlive(ref)) stopTree(ref);
    // What is on a small disk is gone with the process that holds it.
    const left = [...folders].map((folder) => ({ folder, segments: segmentsIn(folder) }));
    await Promise.allSettled(doomed.map((ref) => killTree(ref)));
    await Promise.allSettled(
      [...containers.values()].map((scope) => removeContainers(scope, settled)),
    );
    await Promise.allSettled(
      left.map(async ({ folder, segments }) => removeData(folder, segments)),
    );
  })();
  return ending;
}

// Whatever goes wrong in here, nobody who is held outlives it.
process.on("uncaughtException", (error) => {
  console.error(error);
  end(false).finally(() => process.exit(1));
});

// The run's terminal, or whoever ends a whole session, must not end the watcher before its work is done.
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => {});

process.on("message", (message) => {
  const request = message as ToWatcher;
  handle(request).then(
    (value) => {
      say({ kind: "reply", id: request.id, ...(value === undefined ? {} : { value }) });
      if (request.op === "end") process.disconnect();
    },
    (error: NodeJS.ErrnoException) => {
      say({
        kind: "failure",
        id: request.id,
        message: error.message,
        ...(error.code === undefined ? {} : { code: error.code }),
      });
    },
  );
});

process.on("disconnect", () => {
  end(false).finally(() => process.exit(0));
});

if (process.connected) {
  // Servers of another user live in here: they may pass through, not look around.
  mkdirSync(runFolder, { recursive: true });
  // Not left to the umask.
  chmodSync(runFolder, 0o711);
  record();
  say({ kind: "ready" });
  await sweep(runFolder);
} else {
  process.exit(0);
}
