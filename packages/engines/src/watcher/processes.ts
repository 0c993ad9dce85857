/**
 * Process trees. PostgreSQL's backends each call setsid(), so neither a process group nor a session
 * finds them: only their parent does.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Says, together with the pid, which process this is: pids are used again, start times aren't. */
  readonly started: string;
}

/** A process that we know, safe against pid reuse. */
export type ProcessRef = Pick<ProcessRow, "pid" | "started">;

const hasProc = existsSync("/proc/self/stat");

/** All living processes (zombies are not living). */
export function processTable(): Map<number, ProcessRow> {
  return hasProc ? fromProc() : fromPs();
}

function fromProc(): Map<number, ProcessRow> {
  const table = new Map<number, ProcessRow>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const row = procRow(Number(entry));
    if (row) table.set(row.pid, row);
  }
  return table;
}

function procRow(pid: number): ProcessRow | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
  // The command's name may hold blanks and brackets: fields are counted from its last bracket (proc(5)).
  const [state, parent, group, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (state === "Z" || state === "X") return undefined;
  return { pid, parent: Number(parent), group: Number(group), started: rest[16] ?? "" };
}

function fromPs(): Map<number, ProcessRow> {
  const table = new Map<number, ProcessRow>();
  const out = execFileSync("ps", ["-A", "-o", "pid=,ppid=,pgid=,state=,lstart="], {
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" },
  });
  for (const line of out.split("\n")) {
    const [pid, parent, group, state, ...started] = line.trim().split(/\s+/);
    if (!pid || state?.startsWith("Z")) continue;
    table.set(Number(pid), {
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      started: started.join(" "),
    });
  }
  return table;
}

/** Identifies a living process; undefined when there is none. */
export function processRef(pid: number): ProcessRef | undefined {
  const row = hasProc ? procRow(pid) : fromPs().get(pid);
  return row && { pid, started: row.started };
}

export function isAlive(ref: ProcessRef): boolean {
  return processRef(ref.pid)?.started === ref.started;
}

/**
 * The process, its descendants, and whoever is left of its process group. Parents come before
 * their children, so that signalling in this order keeps new ones from being forked.
 */
export function processTree(root: ProcessRef, table = processTable()): ProcessRow[] {
  // To the system, 0 is the group of everybody who has come from outside of this container.
  if (!(root.pid > 1)) return [];
  const row = table.get(root.pid);
  // Another process has that pid now: ours is gone, and its group too (a pid that is still in use
  // as a group's number is not given out again).
  if (row && row.started !== root.started) return [];
  const found = new Map<number, ProcessRow>();
  if (row) found.set(row.pid, row);
  for (const each of table.values()) if (each.group === root.pid) found.set(each.pid, each);
  for (const parent of found.values()) {
    for (const each of table.values()) {
      if (each.parent === parent.pid && each.pid !== process.pid) found.set(each.pid, each);
    }
  }
  found.delete(process.pid);
  return [...found.values()];
}

/**
 * The programs of a run that nobody need have written down: a watcher sends what they say into the
 * run's folder. What it is about to start still looks like itself. Empty where there is no /proc.
 */
export function processesOf(runFolder: string): ProcessRow[] {
  if (!hasProc) return [];
  return [...fromProc().values()].filter(({ pid }) => {
    if (pid === process.pid) return false;
    if ([1, 2].some((fd) => outputOf(pid, fd).startsWith(`${runFolder}/`))) return true;
    const [script, folder] = commandOf(pid).slice(-2);
    return folder === runFolder && /\bwatcher\/main\.[jt]s$/.test(script ?? "");
  });
}

function outputOf(pid: number, fd: number): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return "";
  }
}

function commandOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch {
    return [];
  }
}

/** @returns false when the process was gone already. */
export function signal(ref: ProcessRef, name: NodeJS.Signals): boolean {
  if (!isAlive(ref)) return false;
  try {
    process.kill(ref.pid, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** Stops a whole tree. Repeats until nobody new turns up: a fork may have been under way. */
export function stopTree(root: ProcessRef): ProcessRow[] {
  const stopped = new Map<string, ProcessRow>();
  for (;;) {
    const fresh = processTree(root).filter((row) => !stopped.has(`${row.pid} ${row.started}`));
    if (fresh.length === 0) return [...stopped.values()];
    for (const row of fresh) {
      signal(row, "SIGSTOP");
      stopped.set(`${row.pid} ${row.started}`, row);
    }
  }
}

/**
 * Stops a whole tree; resolves when all of it stands still. The signal is taken by one thread, which
 * tells the others: on a busy machine these go on, and answer, until it has its turn.
 * @returns how many processes
 */
export async function pauseTree(root: ProcessRef, patienceMs = 8_000): Promise<number> {
  const stopped = stopTree(root);
  const deadline = Date.now() + patienceMs;
  while (stopped.some(({ pid }) => threadStates(pid).some((state) => /^[RS]/.test(state)))) {
    if (Date.now() > deadline)
      throw new Error(`processes survive SIGSTOP: ${stopped.map(({ pid }) => pid).join(", ")}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return stopped.length;
}

/** As proc(5) and ps(1) name them; none of who is gone. */
function threadStates(pid: number): string[] {
  if (!hasProc) return [unlessGone(() => stateByPs(pid)) ?? ""];
  const threads = unlessGone(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  return threads.map((thread) => {
    const stat = unlessGone(() => readFileSync(`/proc/${pid}/task/${thread}/stat`, "latin1"));
    return stat?.slice(stat.lastIndexOf(")") + 2) ?? "";
  });
}

function stateByPs(pid: number): string {
  return execFileSync("ps", ["-o", "state=", "-p", String(pid)], { encoding: "utf8" }).trim();
}

function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** SIGKILLs a whole tree; resolves when all of it is gone. */
export async function killTree(root: ProcessRef, patienceMs = 8_000): Promise<void> {
  const doomed = stopTree(root);
  for (const row of doomed) signal(row, "SIGKILL");
  const deadline = Date.now() + patienceMs;
  while (doomed.some(isAlive)) {
    if (Date.now() > deadline)
      throw new Error(
        `processes survive SIGKILL: ${doomed
          .filter(isAlive)
          .map((row) => row.pid)
          .join(", ")}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Resident bytes of a tree; pages that its members share count once where the system tells. */
export function treeMemory(root: ProcessRef): number | undefined {
  const tree = processTree(root);
  if (tree.length === 0) return undefined;
  return tree.reduce((sum, row) => sum + processMemory(row.pid), 0);
}

function processMemory(pid: number): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024;
  } catch {
    try {
      return (
        Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) * 1024
      );
    } catch {
      return 0;
    }
  }
}
