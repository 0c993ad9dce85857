import { chmod, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { Arrivals } from "../arrivals.ts";
import { type RunContext, tail, unique } from "../context.ts";
import type { EngineDefinition, PreparedServer, Server } from "../definition.ts";
import { cacheCorrupt, EngineError } from "../errors.ts";
import { onLoopback, type PortName, type Ports } from "../ports.ts";
import type { DiskControl, ServerControl, Snapshot, SpecialStart } from "../types.ts";
import type { Launched } from "../watcher/client.ts";
import { answering } from "./answer.ts";
import { DataFolder } from "./data-folder.ts";
import { OwnNetwork } from "./own-network.ts";

const stopDeadlineMs = 10_000;
/** One that ends is noticed at once. This is for one that hangs: a busy machine takes minutes to start a JVM. */
const startSeconds = 120;
const portAttempts = 5;
const plainStart: SpecialStart = { args: [], until: () => false };

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
  readonly #data: DataFolder;
  readonly #names: readonly PortName[];
  #ports: Ports | undefined;
  #network: OwnNetwork | undefined;
  #process: Launched | undefined;
  #paused = false;
  #ended = false;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(
    definition: EngineDefinition,
    prepared: PreparedServer,
    context: RunContext,
    isolated: boolean,
    folder: string,
    data: DataFolder,
  ) {
    this.#definition = definition;
    this.#prepared = prepared;
    this.#context = context;
    this.isolated = isolated;
    this.#folder = folder;
    this.#data = data;
    this.#names = [
      "main",
      ...(Object.keys(definition.also ?? {}) as PortName[]),
      ...(prepared.metrics ? (["metrics"] as const) : []),
    ];
    if (definition.arrivals) this.arrivals = new Arrivals(this.#logFile, definition.arrivals);
  }

  /** @returns a server that answers */
  static async start(
    definition: EngineDefinition,
    prepared: PreparedServer,
    context: RunContext,
    { isolated, smallDisk, seed, base }: StartOptions,
  ): Promise<ProcessServer> {
    const { name } = definition;
    const { source } = prepared;
    const folder = join(context.folder, unique(name));
    await mkdir(folder);
    await chmod(folder, 0o711);
    const data = await DataFolder.open(context, { name, source, folder }, smallDisk === true);
    const recipe: PreparedServer = {
      ...prepared,
      launch: (where, port, around) =>
        prepared.launch(where, port, base === undefined ? around : { ...around, base }),
    };
    const server = new ProcessServer(definition, recipe, context, isolated, folder, data);
    try {
      await data.make(seed ?? prepared.seed);
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
    const ports: Ports = this.#ports ?? new Map();
    return onLoopback(this.#prepared.adminUrl(ports.get("main") ?? 0), ports);
  }

  get metricsUrl(): string | undefined {
    const port = this.#ports?.get("metrics");
    return port === undefined ? undefined : `http://127.0.0.1:${port}/metrics`;
  }

  get disconnect(): Server["disconnect"] {
    const network = this.#network;
    return network && (() => network.disconnect());
  }

  get control(): ServerControl {
    return this;
  }

  get disk(): DiskControl | undefined {
    const { disk } = this.#data;
    // Nobody writes meanwhile, so that what is left when it's done is exactly nothing.
    return disk && { fill: () => this.#standingStill(() => disk.fill()), free: () => disk.free() };
  }

  get #logFile(): string {
    return join(this.#folder, "server.log");
  }

  start(special?: SpecialStart): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#process) {
        // One that is paused says nothing; it is resumed by whoever has paused it.
        if (this.#paused || (await this.#recovers(this.#process))) return;
        await this.#killNow();
      }
      for (let attempt = 1; ; attempt += 1) {
        this.#ports ??= await this.#choosePorts();
        try {
          return await this.#launch(this.#ports, special);
        } catch (error) {
          // Somebody was quicker. Our proxies' addresses don't change, so the server's may.
          if (
            !(error instanceof EngineError) ||
            error.code !== "PORT_TAKEN" ||
            attempt === portAttempts
          )
            throw error;
          this.#ports = undefined;
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
      await this.#data.replace(this.#prepared.seed);
    });
  }

  capture(): Promise<Snapshot> {
    // A copy of one moment, as after a crash.
    return this.#standingStill(() => this.#data.capture());
  }

  restore(snapshot: Snapshot): Promise<void> {
    return this.#inTurn(async () => {
      const copy = this.#data.copyOf(snapshot);
      if (this.#process)
        throw new Error(`${this.#definition.name} can be restored only while it is down`);
      await this.#data.replace(copy);
    });
  }

  async snapshot(): Promise<string> {
    await this.stop();
    const copy = join(this.#context.folder, unique("seed"));
    await this.#data.copyTo(copy);
    await this.start();
    return copy;
  }

  touch(path: string): Promise<void> {
    return writeFile(path, "");
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
    await this.#network?.end();
    await this.#data.end();
    await this.#context.watcher.ask({ op: "remove", folder: this.#folder });
  }

  /** One change of state at a time; the next begins when this one is over, whatever came of it. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(change);
    this.#turn = result.catch(() => {});
    return result;
  }

  /** In turn; all of the server's processes are stopped meanwhile. */
  #standingStill<T>(work: () => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      const { watcher } = this.#context;
      const running = this.#paused ? undefined : this.#process;
      if (running) await watcher.ask({ op: "pause", key: running.key });
      try {
        return await work();
      } finally {
        if (running) await watcher.ask({ op: "resume", key: running.key });
      }
    });
  }

  async #killNow(): Promise<void> {
    const running = this.#process;
    if (!running) return;
    await this.#context.watcher.ask({ op: "kill", key: running.key });
    this.#process = undefined;
    this.#paused = false;
  }

  async #choosePorts(): Promise<Ports> {
    if (this.#prepared.ownNetwork) {
      await this.#network?.end();
      this.#network = await OwnNetwork.open(
        this.#context,
        this.#definition.name,
        this.#folder,
        this.#names,
      );
      return this.#network.ports;
    }
    const ports = new Map<PortName, number>();
    for (const name of this.#names) ports.set(name, await freePort());
    return ports;
  }

  async #launch(ports: Ports, special: SpecialStart = plainStart): Promise<void> {
    if (this.#ended) throw new Error(`${this.#definition.name} has been ended`);
    const main = ports.get("main") ?? 0;
    const said = await this.#prepared.launch(this.#data.path, main, { ports });
    const launch = this.#network?.within(said) ?? { ...this.#user, ...said };
    const logStart = (await this.log(1_000_000)).length;
    const running = await this.#context.watcher
      .launch(unique(this.#definition.name), {
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
    for (const port of ports.values()) this.arrivals?.follow(port);
    try {
      const told = await this.#answering(running, special.until);
      this.version = this.#prepared.version ?? told ?? this.version;
    } catch (error) {
      const log = (await this.log(1_000_000)).slice(logStart);
      await this.#killNow();
      if (error instanceof EngineError) throw error;
      throw await this.#data.failure((error as Error).message, log);
    }
  }

  /** False when it has ended by itself, as a server does whose log finds no room. */
  async #recovers(running: Launched): Promise<boolean> {
    try {
      await this.#answering(running);
      return true;
    } catch (error) {
      if (!running.ended()) throw error;
      return false;
    }
  }

  #answering(running: Launched, refused?: SpecialStart["until"]): Promise<string | undefined> {
    const over = async () => {
      const exit = running.ended();
      return exit && `it ended with ${exit.signal ? `signal ${exit.signal}` : `code ${exit.code}`}`;
    };
    return answering(this.#definition, this.adminUrl, over, running.exited, refused, startSeconds);
  }

  get #user(): { uid?: number; gid?: number } {
    const { uid, gid } = this.#context.user;
    return uid === undefined || gid === undefined ? {} : { uid, gid };
  }
}

export interface StartOptions {
  readonly isolated: boolean;
  /** A snapshot to start from instead of an empty server. */
  readonly seed?: string;
  /** On a disk of its own that can be filled. */
  readonly smallDisk?: boolean;
  /** Where the server is that it runs on. */
  readonly base?: string;
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
