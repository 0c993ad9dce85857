import { chmod, chown, cp, mkdir, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { Arrivals } from "../arrivals.ts";
import { type RunContext, runTool, tail, unique } from "../context.ts";
import type { EngineDefinition, PreparedServer, Server } from "../definition.ts";
import { cacheCorrupt, EngineError, snapshotUnknown, startFailed } from "../errors.ts";
import type { ServerControl, Snapshot, SpecialStart } from "../types.ts";
import type { Launched } from "../watcher/client.ts";
import { answering } from "./answer.ts";

const stopDeadlineMs = 10_000;
const portAttempts = 5;
const plainStart: SpecialStart = { args: [], until: () => false };
/** With less than this no server starts. */
const fullBytes = 1 << 20;

/** A real server on this machine, started and held by the watcher. */
export class ProcessServer implements Server, ServerControl {
  readonly provider = "process";
  readonly isolated: boolean;
  readonly arrivals?: Arrivals;
  version = "";
  readonly #definition: EngineDefinition;
  readonly #prepared: PreparedServer;
  readonly #context: RunContext;
  readonly #folder: string;
  readonly #seed: string | undefined;
  readonly #snapshots = new Map<Snapshot, string>();
  #port = 0;
  #process: Launched | undefined;
  #paused = false;
  #ended = false;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(
    definition: EngineDefinition,
    prepared: PreparedServer,
    context: RunContext,
    options: StartOptions,
  ) {
    this.#definition = definition;
    this.#prepared = prepared;
    this.#context = context;
    this.isolated = options.isolated;
    this.#seed = options.seed ?? prepared.seed;
    this.#folder = join(context.folder, unique(definition.name));
    if (definition.arrivals) this.arrivals = new Arrivals(this.#logFile, definition.arrivals);
  }

  /** @returns a server that answers */
  static async start(
    definition: EngineDefinition,
    prepared: PreparedServer,
    context: RunContext,
    options: StartOptions,
  ): Promise<ProcessServer> {
    const server = new ProcessServer(definition, prepared, context, options);
    await mkdir(server.#folder);
    await chmod(server.#folder, 0o711);
    await server.#makeData();
    try {
      await server.start();
    } catch (error) {
      await server.end();
      throw error;
    }
    return server;
  }

  get source(): string {
    return this.#prepared.source;
  }

  get adminUrl(): string {
    return this.#prepared.adminUrl(this.#port);
  }

  get control(): ServerControl {
    return this;
  }

  get #data(): string {
    return join(this.#folder, "data");
  }

  get #logFile(): string {
    return join(this.#folder, "server.log");
  }

  start(special?: SpecialStart): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#process) {
        // One that is paused says nothing; it is resumed by whoever has paused it.
        if (!this.#paused) await this.#answering(this.#process);
        return;
      }
      for (let attempt = 1; ; attempt += 1) {
        if (this.#port === 0) this.#port = await freePort();
        try {
          return await this.#launch(special);
        } catch (error) {
          // Somebody was quicker. Our proxies' addresses don't change, so the server's may.
          if (
            !(error instanceof EngineError) ||
            error.code !== "PORT_TAKEN" ||
            attempt === portAttempts
          )
            throw error;
          this.#port = 0;
        }
      }
    });
  }

  kill(): Promise<void> {
    return this.#inTurn(() => this.#killNow());
  }

  stop(): Promise<void> {
    return this.#inTurn(async () => {
      const running = this.#process;
      if (!running) return;
      // A stopped process can't act on a request to end.
      if (this.#paused) await this.#context.watcher.ask({ op: "resume", key: running.key });
      await this.#context.watcher.ask({
        op: "signal",
        key: running.key,
        signal: this.#prepared.stopSignal,
      });
      const patience = Promise.withResolvers<void>();
      const timer = setTimeout(patience.resolve, stopDeadlineMs);
      await Promise.race([running.exited, patience.promise]);
      clearTimeout(timer);
      await this.#killNow();
    });
  }

  pause(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#process || this.#paused) return;
      this.#paused = true;
      await this.#context.watcher.ask({ op: "pause", key: this.#process.key });
    });
  }

  resume(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#process || !this.#paused) return;
      await this.#context.watcher.ask({ op: "resume", key: this.#process.key });
      this.#paused = false;
      await this.#answering(this.#process);
    });
  }

  wipe(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#process)
        throw new Error(`${this.#definition.name} can be wiped only while it is down`);
      await this.#context.watcher.ask({ op: "remove", folder: this.#data });
      await this.#makeData(this.#prepared.seed);
    });
  }

  capture(): Promise<Snapshot> {
    return this.#inTurn(async () => {
      const { watcher, folder } = this.#context;
      const copy = join(folder, unique("snapshot"));
      // Nobody writes while everybody is stopped: the copy is of one moment, as after a crash.
      const running = this.#paused ? undefined : this.#process;
      if (running) await watcher.ask({ op: "pause", key: running.key });
      try {
        await this.#copy(this.#data, copy);
      } finally {
        if (running) await watcher.ask({ op: "resume", key: running.key });
      }
      const snapshot = { takenAt: Date.now() };
      this.#snapshots.set(snapshot, copy);
      return snapshot;
    });
  }

  restore(snapshot: Snapshot): Promise<void> {
    return this.#inTurn(async () => {
      const copy = this.#snapshots.get(snapshot);
      if (!copy) throw snapshotUnknown(this.#definition.name);
      if (this.#process)
        throw new Error(`${this.#definition.name} can be restored only while it is down`);
      await this.#context.watcher.ask({ op: "remove", folder: this.#data });
      await this.#copy(copy, this.#data);
    });
  }

  async snapshot(): Promise<string> {
    await this.stop();
    const copy = join(this.#context.folder, unique("seed"));
    await this.#copy(this.#data, copy);
    await this.start();
    return copy;
  }

  async memory(): Promise<number | undefined> {
    if (!this.#process) return undefined;
    return this.#context.watcher.ask({ op: "memory", key: this.#process.key });
  }

  async log(lines: number): Promise<string> {
    return tail(this.#logFile, lines);
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.kill();
    this.arrivals?.end();
    for (const folder of [this.#folder, ...this.#snapshots.values()])
      await this.#context.watcher.ask({ op: "remove", folder });
  }

  /** One change of state at a time; the next begins when this one is over, whatever came of it. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(change);
    this.#turn = result.catch(() => {});
    return result;
  }

  async #killNow(): Promise<void> {
    const running = this.#process;
    if (!running) return;
    await this.#context.watcher.ask({ op: "kill", key: running.key });
    this.#process = undefined;
    this.#paused = false;
  }

  async #launch(special: SpecialStart = plainStart): Promise<void> {
    if (this.#ended) throw new Error(`${this.#definition.name} has been ended`);
    const launch = await this.#prepared.launch(this.#data, this.#port);
    const logStart = (await this.log(1_000_000)).length;
    const running = await this.#context.watcher
      .launch(unique(this.#definition.name), {
        ...this.#user,
        ...launch,
        args: [...launch.args, ...special.args],
        log: this.#logFile,
      })
      .catch((error: NodeJS.ErrnoException) => {
        throw ["ENOENT", "EACCES", "ENOEXEC"].includes(error.code ?? "")
          ? cacheCorrupt(this.#context.cache, `${launch.file} can't be run (${error.code})`, error)
          : error;
      });
    this.#process = running;
    this.arrivals?.follow(this.#port);
    try {
      const told = await this.#answering(running, special.until);
      this.version = this.#prepared.version ?? told ?? this.version;
    } catch (error) {
      const log = (await this.log(1_000_000)).slice(logStart);
      await this.#killNow();
      if (error instanceof EngineError) throw error;
      throw await this.#failure((error as Error).message, log);
    }
  }

  #answering(running: Launched, refused?: SpecialStart["until"]): Promise<string | undefined> {
    let over: string | undefined;
    running.exited.then(({ code, signal }) => {
      over = `it ended with ${signal ? `signal ${signal}` : `code ${code}`}`;
    });
    return answering(this.#definition, this.adminUrl, async () => over, running.exited, refused);
  }

  async #failure(reason: string, log: string): Promise<EngineError> {
    // On a full disk the log of the failure may not have found room either.
    const { bavail, bsize } = await statfs(this.#context.folder);
    const full = bavail * bsize < fullBytes ? "\nNo space left on device" : "";
    return startFailed(this.#definition.name, this.source, reason, log + full);
  }

  get #user(): { uid?: number; gid?: number } {
    const { uid, gid } = this.#context.user;
    return uid === undefined || gid === undefined ? {} : { uid, gid };
  }

  async #makeData(seed = this.#seed): Promise<void> {
    if (seed) return this.#copy(seed, this.#data);
    await mkdir(this.#data, { mode: 0o700 });
    const { uid, gid } = this.#user;
    if (uid !== undefined && gid !== undefined) await chown(this.#data, uid, gid);
  }

  /** `cp -a` keeps owners and modes, and is twice as quick as Node's own copy. */
  async #copy(from: string, to: string): Promise<void> {
    if (process.platform === "win32") return cp(from, to, { recursive: true });
    const { ok, output } = await runTool(this.#context, { file: "cp", args: ["-a", from, to] });
    if (!ok) throw await this.#failure("its data folder could not be made", output);
  }
}

export interface StartOptions {
  readonly isolated: boolean;
  /** A snapshot to start from instead of an empty server. */
  readonly seed?: string;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}
