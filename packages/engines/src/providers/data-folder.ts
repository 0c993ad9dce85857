import { chown, cp, mkdir, statfs } from "node:fs/promises";
import { join } from "node:path";
import { type RunContext, runTool, unique } from "../context.ts";
import { type EngineError, snapshotUnknown, startedOnFullDisk, startFailed } from "../errors.ts";
import type { Snapshot } from "../types.ts";
import { SmallDisk } from "./small-disk.ts";

/** With less than this, in bytes, no server starts. */
const fullBytes = 1 << 20;

/** The data of a server on this machine. Nothing here looks whether somebody uses them. */
export class DataFolder {
  readonly path: string;
  readonly disk: SmallDisk | undefined;
  readonly #context: RunContext;
  readonly #server: ServerFolder;
  readonly #snapshots = new Map<Snapshot, string>();

  private constructor(context: RunContext, server: ServerFolder, disk: SmallDisk | undefined) {
    this.#context = context;
    this.#server = server;
    this.disk = disk;
    this.path = join(disk?.path ?? server.folder, "data");
  }

  /** A place for data, on a small disk where that is asked for; there are none yet. */
  static async open(
    context: RunContext,
    server: ServerFolder,
    smallDisk: boolean,
  ): Promise<DataFolder> {
    const disk = smallDisk ? await SmallDisk.open(context, server.folder) : undefined;
    return new DataFolder(context, server, disk);
  }

  /** @param seed to start from instead of an empty folder */
  async make(seed: string | undefined): Promise<void> {
    if (seed !== undefined) return this.#copy(seed, this.path);
    await mkdir(this.path, { mode: 0o700 });
    const { uid, gid } = this.#context.user;
    if (uid !== undefined && gid !== undefined) await chown(this.path, uid, gid);
  }

  /** Whoever loses his data, or gets others, gets another disk, with room. */
  async replace(seed: string | undefined): Promise<void> {
    await this.#context.watcher.ask({ op: "remove", folder: this.path });
    await this.disk?.free();
    await this.make(seed);
  }

  async copyTo(folder: string): Promise<void> {
    await this.#copy(this.path, folder);
  }

  async capture(): Promise<Snapshot> {
    const copy = join(this.#context.folder, unique("snapshot"));
    await this.copyTo(copy);
    const snapshot = { takenAt: Date.now() };
    this.#snapshots.set(snapshot, copy);
    return snapshot;
  }

  /** @throws EngineError `SNAPSHOT_UNKNOWN` */
  copyOf(snapshot: Snapshot): string {
    const copy = this.#snapshots.get(snapshot);
    if (copy === undefined) throw snapshotUnknown(this.#server.name);
    return copy;
  }

  /** What to call it that a server didn't start on these data. */
  async failure(reason: string, log: string): Promise<EngineError> {
    const { name, source } = this.#server;
    if (this.disk && (await isFull(this.disk.path))) return startedOnFullDisk(name, log);
    // On a full disk the log of the failure may not have found room either.
    const full = (await isFull(this.#context.folder)) ? "\nNo space left on device" : "";
    return startFailed(name, source, reason, log + full);
  }

  /** Removes them, and every copy. */
  async end(): Promise<void> {
    await this.disk?.end();
    for (const folder of [this.path, ...this.#snapshots.values()])
      await this.#context.watcher.ask({ op: "remove", folder });
  }

  /** `cp -a` keeps owners and modes, and is twice as quick as Node's own copy. */
  async #copy(from: string, to: string): Promise<void> {
    if (process.platform === "win32") return cp(from, to, { recursive: true });
    const { ok, output } = await runTool(this.#context, { file: "cp", args: ["-a", from, to] });
    if (!ok) throw await this.failure("its data folder could not be made", output);
  }
}

/** Whose data they are. */
export interface ServerFolder {
  readonly name: string;
  readonly source: string;
  /** Of the server: its data are in it, or on a disk that is held there. */
  readonly folder: string;
}

async function isFull(folder: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize < fullBytes;
}
