import { setTimeout as delay } from "node:timers/promises";
import { type ContainerRuntimeClient, GenericContainer, ImageName } from "testcontainers";
import { password, type RunContext, unique } from "../context.ts";
import type { ContainerRecipe, EngineDefinition, Server } from "../definition.ts";
import { containerRuntimeFailed, EngineError, fetchFailed, startFailed } from "../errors.ts";
import type { ServerControl } from "../types.ts";
import { answering } from "./answer.ts";
import type { StartOptions } from "./process.ts";

type Container = ReturnType<ContainerRuntimeClient["container"]["getById"]>;

const pullLimitMs = 15 * 60_000;
const pullNoticeMs = 10_000;

/** The label by which the watcher finds a run's containers. */
export function runLabel(context: RunContext): { readonly key: string; readonly value: string } {
  return { key: "db-katas.run", value: context.id };
}

/** testcontainers publishes on every interface; ours are nobody else's business. */
class LoopbackContainer extends GenericContainer {
  protected override async beforeContainerCreated(): Promise<void> {
    const bindings = this.hostConfig.PortBindings as Record<
      string,
      { HostPort: string; HostIp?: string }[]
    >;
    for (const each of Object.values(bindings).flat()) each.HostIp = "127.0.0.1";
  }
}

/** A server in a container of its official image. */
export class ContainerServer implements Server, ServerControl {
  readonly provider = "container";
  readonly isolated: boolean;
  version = "";
  readonly #definition: EngineDefinition;
  readonly #recipe: ContainerRecipe;
  readonly #image: string;
  readonly #client: ContainerRuntimeClient;
  readonly #context: RunContext;
  readonly #secret: string;
  #container: Container | undefined;
  #port = 0;
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
    this.#secret = password(context, `${definition.name} container`);
    this.isolated = options.isolated;
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
    try {
      await pull(client, image, context);
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
    return this.#recipe.adminUrl(this.#secret, this.#port);
  }

  get control(): ServerControl {
    return this;
  }

  start(): Promise<void> {
    return this.#inTurn("start a container", async () => {
      if (!this.#container) this.#container = await this.#create();
      else if (!(await this.#state(this.#container)).Running) await this.#container.start();
      else return;
      await this.#answering(this.#container);
    });
  }

  kill(): Promise<void> {
    return this.#inTurn("kill a container", async () => {
      if (!this.#container) return;
      const { Running, Paused } = await this.#state(this.#container);
      // A paused container doesn't die of a signal before it goes on.
      if (Paused) await this.#container.unpause();
      if (Running) await this.#container.kill({ signal: "SIGKILL" });
      await this.#down(this.#container);
    });
  }

  stop(): Promise<void> {
    return this.#inTurn("stop a container", async () => {
      if (!this.#container) return;
      const { Running, Paused } = await this.#state(this.#container);
      if (Paused) await this.#container.unpause();
      if (Running) await this.#container.stop({ t: this.#recipe.stopSeconds });
    });
  }

  pause(): Promise<void> {
    return this.#inTurn("pause a container", async () => {
      if (!this.#container) return;
      const { Running, Paused } = await this.#state(this.#container);
      if (Running && !Paused) await this.#container.pause();
    });
  }

  resume(): Promise<void> {
    return this.#inTurn("resume a container", async () => {
      if (!this.#container || !(await this.#state(this.#container)).Paused) return;
      await this.#container.unpause();
      await this.#answering(this.#container);
    });
  }

  /** Its data is a volume of the container's own: a new container has a new one. */
  wipe(): Promise<void> {
    return this.#inTurn("remove a container", async () => {
      const container = this.#container;
      this.#container = undefined;
      await container?.remove({ force: true, v: true });
    });
  }

  async memory(): Promise<number | undefined> {
    const stats = await this.#container?.stats({ stream: false });
    return stats?.memory_stats.usage;
  }

  async log(lines: number): Promise<string> {
    const output = await this.#container?.logs({ stdout: true, stderr: true, tail: lines });
    return output ? demultiplexed(output) : "";
  }

  async end(): Promise<void> {
    await this.wipe();
  }

  async #create(): Promise<Container> {
    const { env, command, files } = this.#recipe.describe(this.#secret);
    const { key, value } = runLabel(this.#context);
    const started = await new LoopbackContainer(this.#image)
      .withName(`db-katas-${this.#context.id}-${unique(this.#definition.name)}`)
      .withLabels({ [key]: value })
      .withAutoCleanup(false) // the watcher does it
      .withEnvironment({ ...env })
      .withCommand([...command])
      .withCopyContentToContainer(files.map((file) => ({ ...file, mode: 0o644 })))
      .withExposedPorts(this.#recipe.port)
      .start();
    return this.#client.container.getById(started.getId());
  }

  async #answering(container: Container): Promise<void> {
    const { NetworkSettings } = await container.inspect();
    // A restart gives it another port; our proxies' addresses don't change.
    this.#port = Number(NetworkSettings.Ports[`${this.#recipe.port}/tcp`]?.[0]?.HostPort ?? 0);
    const ended = async () => {
      const { Running, ExitCode } = await this.#state(container);
      return Running ? undefined : `its container ended with code ${ExitCode}`;
    };
    try {
      this.version = (await answering(this.#definition, this.adminUrl, ended)) ?? this.version;
    } catch (error) {
      throw startFailed(
        this.#definition.name,
        this.source,
        (error as Error).message,
        await this.log(40),
      );
    }
  }

  async #state(
    container: Container,
  ): Promise<{ Running: boolean; Paused: boolean; ExitCode: number }> {
    return (await container.inspect()).State;
  }

  async #down(container: Container): Promise<void> {
    while ((await this.#state(container)).Running) await delay(5);
  }

  /** One change of state at a time. */
  #inTurn(what: string, change: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(change).catch((error: unknown) => {
      throw error instanceof EngineError ? error : containerRuntimeFailed(what, error);
    });
    this.#turn = result.catch(() => {});
    return result;
  }
}

/** Fetches an image that isn't there yet, saying so, and gives up rather than hang. */
async function pull(
  client: ContainerRuntimeClient,
  name: string,
  context: RunContext,
): Promise<void> {
  const image = ImageName.fromString(name);
  if (await client.image.exists(image)) return;
  const started = Date.now();
  const notice = () =>
    context.progress(
      `fetching the image ${name} (${Math.round((Date.now() - started) / 1000)} s so far)`,
    );
  notice();
  const timer = setInterval(notice, pullNoticeMs);
  const limit = new AbortController();
  try {
    await Promise.race([
      client.image.pull(image),
      delay(pullLimitMs, undefined, { signal: limit.signal }).then(() => {
        throw new Error(`not done after ${pullLimitMs / 60_000} min`);
      }),
    ]);
  } catch (error) {
    throw fetchFailed(`the image ${name}`, `docker pull ${name}`, (error as Error).message);
  } finally {
    clearInterval(timer);
    limit.abort();
  }
}

/** Without a terminal, a log comes in frames: 8 bytes of header, of which the last 4 are the length. */
function demultiplexed(output: Buffer): string {
  const parts: string[] = [];
  for (let at = 0; at + 8 <= output.length; ) {
    const length = output.readUInt32BE(at + 4);
    parts.push(output.toString("utf8", at + 8, at + 8 + length));
    at += 8 + length;
  }
  return parts.join("");
}
