/**
 * A file system of a server's own, small enough to be filled: what the fault `diskFull` takes. It is a
 * tmpfs in a mount namespace that a process of the watcher's holds open, so that nothing is mounted
 * on the machine itself, and all is gone with that process. Everybody else, the server too, reaches it
 * through `/proc/<pid>/root` (proc(5)), which takes the rights to trace the holder: it therefore runs
 * as the server's user.
 */
import { mkdir, readFile, statfs, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delayed } from "node:timers/promises";
import { type RunContext, runTool, tail, unique } from "../context.ts";
import { smallDiskRefused } from "../errors.ts";
import type { DiskControl } from "../types.ts";
import type { Launched } from "../watcher/client.ts";
import { becoming, entering, trying, unshares, unsharing } from "./unshare.ts";

/**
 * Holds a PostgreSQL whose log has grown to its `max_wal_size` (settings.ts), and as much again. It
 * is memory, but only what is used of it, also when it is full.
 */
const sizeBytes = 512 * 2 ** 20;

const openDeadlineMs = 10_000;

/** Positional arguments: where, how many bytes, then what to run on it. */
const mountAndRun = `mount -t tmpfs -o "size=$2,mode=711" disk "$1" && shift 2 && exec "$@"`;
/** Without what it was mounted with: names of users may mean others inside. */
const resizing = ["--options-mode", "ignore", "-o"];

let tried: Promise<boolean> | undefined;

/** Whether this machine lets us have small disks: tried once, on one that nobody uses. */
export function smallDisks(): Promise<boolean> {
  tried ??= process.platform === "linux" ? tryOne(process.env) : Promise.resolve(false);
  return tried;
}

/** Does what a real one takes, and forgets it. */
export function tryOne(env: NodeJS.ProcessEnv): Promise<boolean> {
  const where = tmpdir();
  const script = `mount ${resizing.join(" ")} remount,size=64k disk "$0" && exec "$@" --version`;
  const args = [...unsharing("--mount"), "sh", "-c", mountAndRun, "sh", where, "128k"];
  return unshares([...args, "sh", "-c", script, where, ...trying], env);
}

export class SmallDisk implements DiskControl {
  /** The same for everybody, as long as it lives. */
  readonly path: string;
  readonly #context: RunContext;
  readonly #mount: string;
  readonly #holder: Launched;

  private constructor(context: RunContext, folder: string, mount: string, holder: Launched) {
    this.#context = context;
    this.path = join(folder, "disk");
    this.#mount = mount;
    this.#holder = holder;
  }

  /**
   * @param folder of its server; it goes with that
   * @throws EngineError `CAPABILITY_MISSING` where the machine refuses after all
   */
  static async open(context: RunContext, folder: string): Promise<SmallDisk> {
    const mount = join(folder, "mount");
    await mkdir(mount);
    const log = join(folder, "disk.log");
    const hold = [...becoming(context.user), "sleep", "2147483647"];
    const holder = await context.watcher.launch(unique("disk"), {
      file: "unshare",
      args: [
        ...unsharing("--mount"),
        "sh",
        "-c",
        mountAndRun,
        "sh",
        mount,
        String(sizeBytes),
        ...hold,
      ],
      cwd: folder,
      log,
    });
    // The last that it becomes: by then it has mounted, and is whose it shall be.
    const deadline = Date.now() + openDeadlineMs;
    while (!(await commandOf(holder.pid)).startsWith("sleep\0")) {
      if (holder.ended() || Date.now() > deadline) throw smallDiskRefused(tail(log, 6));
      await delayed(2);
    }
    const disk = new SmallDisk(context, folder, mount, holder);
    await symlink(`/proc/${holder.pid}/root${mount}`, disk.path);
    return disk;
  }

  /** Makes it as small as what is in it: there is exactly no room, and no memory is wasted on ballast. */
  async fill(): Promise<void> {
    const { blocks, bfree, bsize } = await statfs(this.path);
    // To a tmpfs, none at all would mean any number.
    await this.#resize(Math.max(blocks - bfree, 1) * bsize);
  }

  free(): Promise<void> {
    return this.#resize(sizeBytes);
  }

  async end(): Promise<void> {
    const { watcher } = this.#context;
    // While it can still be read: what a killed server has left in the kernel is told there.
    await watcher.ask({ op: "remove", folder: this.path });
    await watcher.ask({ op: "kill", key: this.#holder.key });
  }

  async #resize(bytes: number): Promise<void> {
    const target = entering("--mount", this.#holder.pid);
    const { ok, output } = await runTool(this.#context, {
      file: "nsenter",
      args: [...target, "mount", ...resizing, `remount,size=${bytes}`, "disk", this.#mount],
    });
    if (!ok) throw smallDiskRefused(output);
  }
}

function commandOf(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
}
