import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerRuntimeClient } from "testcontainers";
import { type RunContext, unique } from "../context.ts";
import type { ContainerRecipe, EngineDefinition, Server } from "../definition.ts";
import { containerRuntimeFailed, EngineError, snapshotUnknown, startFailed } from "../errors.ts";
import { onLoopback, type PortName, type Ports } from "../ports.ts";
import type { ServerControl, Snapshot, SpecialStart } from "../types.ts";
import { answering } from "./answer.ts";
import {
  type Container,
  createContainer,
  fetchArchive,
  logOf,
  publishedPort,
  stateOf,
} from "./docker.ts";
import { freePort, type StartOptions } from "./process.ts";
import { pull } from "./pull.ts";

/** A server in a container of its image. */
export class ContainerServer implements Server, ServerControl {
  readonly provider = "container";
  readonly isolated: boolean;
  version = "";
  readonly #definition: EngineDefinition;
  readonly #recipe: ContainerRecipe;
  readonly #image: string;
  readonly #client: ContainerRuntimeClient;
  readonly #context: RunContext;
  /** Archives of its data folder. */
  readonly #snapshots = new Map<Snapshot, string>();
  /** The archive that the next new container starts with; without one, it starts empty. */
  #seed: string | undefined;
  #container: Container | undefined;
  /** Whether the container was made with arguments that are not the recipe's. */
  #special = false;
  #ports: Ports = new Map();
  #ended = false;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(
    definition: EngineDefinition,
    recipe: ContainerRecipe,
    image: string,
    client: ContainerRuntimeClient,
    context: RunContext,
    options: StartOptions,
  ) {
    this.#definition = definition;
    this.#recipe = recipe;
    this.#image = image;
    this.#client = client;
    this.#context = context;
    this.isolated = options.isolated;
    this.#seed = options.seed;
  }

  /** @param client of the runtime that the probe has found alive */
  static async start(
    definition: EngineDefinition,
    recipe: ContainerRecipe,
    image: string,
    client: ContainerRuntimeClient,
    context: RunContext,
    options: StartOptions,
  ): Promise<ContainerServer> {
    const server = new ContainerServer(definition, recipe, image, client, context, options);
    await pull(client, definition, image, context);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.end().catch(() => {});
      throw error;
    }
  }

  get source(): string {
    return `container of ${this.#image}`;
  }

  get adminUrl(): string {
    const url = this.#recipe.adminUrl(this.#context, this.#ports.get("main") ?? 0);
    return onLoopback(url, this.#ports);
  }

  get control(): ServerControl {
    return this;
  }

  start(special?: SpecialStart): Promise<void> {
    return this.#inTurn("start a container", async () => {
      if (this.#ended) throw new Error(`${this.#definition.name} has been ended`);
      if (this.#container) {
        const { Running, Paused } = await stateOf(this.#container);
        // One that is paused says nothing; it is resumed by whoever has paused it.
        if (Running) return Paused ? undefined : this.#answering(this.#container);
      }
      if (this.#container && (special || this.#special))
        await this.#remake(this.#container, special);
      this.#container ??= await this.#create([], this.#seed);
      await this.#container.start();
      await this.#answering(this.#container, special?.until);
    });
  }

  kill(): Promise<void> {
    return this.#inTurn("kill a container", async () => {
      const container = this.#container;
      if (!container || !(await stateOf(container)).Running) return;
      await container.kill({ signal: "SIGKILL" });
      // What is paused dies when it goes on; some runtimes see to that themselves, maybe just now.
      if ((await stateOf(container)).Paused) await container.unpause().catch(() => {});
      await container.wait();
    });
  }

  stop(): Promise<void> {
    return this.#inTurn("stop a container", async () => {
      if (!this.#container) return;
      const { Running, Paused } = await stateOf(this.#container);
      if (Paused) await this.#container.unpause();
      if (Running) await this.#container.stop({ t: this.#recipe.stopSeconds });
    });
  }

  pause(): Promise<void> {
    return this.#inTurn("pause a container", async () => {
      if (!this.#container) return;
      const { Running, Paused } = await stateOf(this.#container);
      if (Running && !Paused) await this.#container.pause();
    });
  }

  resume(): Promise<void> {
    return this.#inTurn("resume a container", async () => {
      if (!this.#container || !(await stateOf(this.#container)).Paused) return;
      await this.#container.unpause();
      await this.#answering(this.#container);
    });
  }

  /** Its data is a volume of the container's own: a new container has a new one. */
  wipe(): Promise<void> {
    return this.#inTurn("remove a container", () => this.#remove(undefined));
  }

  capture(): Promise<Snapshot> {
    return this.#inTurn("copy data out of a container", async () => {
      if (!this.#container) throw new Error(`${this.#definition.name} has no data yet`);
      const { Running, Paused } = await stateOf(this.#container);
      // Nobody writes while everybody is frozen: the copy is of one moment, as after a crash.
      const freeze = Running && !Paused;
      if (freeze) await this.#container.pause();
      try {
        const snapshot = { takenAt: Date.now() };
        this.#snapshots.set(snapshot, await this.#archive(this.#container));
        return snapshot;
      } finally {
        if (freeze) await this.#container.unpause();
      }
    });
  }

  restore(snapshot: Snapshot): Promise<void> {
    return this.#inTurn("put data into a container", async () => {
      const archive = this.#snapshots.get(snapshot);
      if (!archive) throw snapshotUnknown(this.#definition.name);
      await this.#remove(archive);
    });
  }

  async snapshot(): Promise<string> {
    await this.stop();
    const archive = await this.#inTurn("copy data out of a container", async () =>
      this.#container ? this.#archive(this.#container) : "",
    );
    await this.start();
    return archive;
  }

  touch(path: string): Promise<void> {
    return this.#inTurn("make a file in a container", async () => {
      if (!this.#container) return;
      const { exitCode, output } = await this.#client.container.exec(this.#container, [
        "touch",
        path,
      ]);
      if (exitCode !== 0) throw new Error(output);
    });
  }

  async memory(): Promise<number | undefined> {
    // The first sample will do; without that, the runtime waits for a second one.
    const stats = await this.#container?.stats({ stream: false, "one-shot": true });
    return stats?.memory_stats.usage;
  }

  async log(lines: number): Promise<string> {
    return this.#container ? logOf(this.#container, lines) : "";
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.wipe();
    for (const archive of this.#snapshots.values()) await rm(archive, { force: true });
  }

  async #create(args: readonly string[], seed: string | undefined): Promise<Container> {
    // Should somebody take it while the server is stopped, that one can't be started again.
    const published = this.#definition.readdress ? await freePort() : 0;
    const { env, command } = this.#recipe.describe(this.#context, published);
    const container = await createContainer(this.#client, {
      name: `db-katas-${this.#context.id}-${unique(this.#definition.name)}`,
      run: this.#context.id,
      image: this.#image,
      env,
      command: [...command, ...args],
      port: this.#recipe.port,
      published,
      also: Object.values(this.#definition.also ?? {}),
    });
    if (seed) await container.putArchive(seed, { path: this.#recipe.data });
    return container;
  }

  /** Arguments are settled when a container is made: other ones take another container with the same data. */
  async #remake(old: Container, special: SpecialStart | undefined): Promise<void> {
    const data = await this.#archive(old);
    await this.#remove(undefined);
    this.#container = await this.#create(special?.args ?? [], data);
    this.#special = special !== undefined;
    await rm(data);
  }

  async #remove(seed: string | undefined): Promise<void> {
    const container = this.#container;
    this.#container = undefined;
    this.#special = false;
    this.#seed = seed;
    await container?.remove({ force: true, v: true });
  }

  /** A tar file of what is in its data folder. */
  async #archive(container: Container): Promise<string> {
    const file = join(this.#context.folder, `${unique("archive")}.tar`);
    await fetchArchive(container, this.#recipe.data, file);
    return file;
  }

  async #answering(container: Container, refused?: SpecialStart["until"]): Promise<void> {
    // A restart gives it other ports; our proxies' addresses don't change.
    const ports = new Map<PortName, number>();
    const inner = { main: this.#recipe.port, ...this.#definition.also };
    for (const [name, port] of Object.entries(inner))
      ports.set(name as PortName, await publishedPort(container, port));
    this.#ports = ports;
    const ended = async () => {
      if (this.#context.ended.aborted) return "the run has ended";
      const { Running, ExitCode } = await stateOf(container);
      return Running ? undefined : `its container ended with code ${ExitCode}`;
    };
    try {
      const ready = this.#recipe.ready ?? this.#definition.ready;
      const { startSeconds } = this.#recipe;
      const url = this.adminUrl;
      const version = await answering({ ready }, url, ended, undefined, refused, startSeconds);
      this.version = version ?? this.version;
    } catch (error) {
      const { message } = error as Error;
      throw startFailed(this.#definition.name, this.source, message, await this.log(40));
    }
  }

  /** One change of state at a time. */
  #inTurn<T>(what: string, change: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(change).catch((error: unknown) => {
      throw error instanceof EngineError ? error : containerRuntimeFailed(what, error);
    });
    this.#turn = result.catch(() => {});
    return result;
  }
}
