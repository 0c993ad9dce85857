import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerRuntimeClient } from "testcontainers";
import { type RunContext, unique } from "../context.ts";
import type {
  Companion,
  ContainerRecipe,
  EngineDefinition,
  MemberRecipe,
  Server,
} from "../definition.ts";
import { containerRuntimeFailed, EngineError, snapshotUnknown, startFailed } from "../errors.ts";
import { containersOf, type WantedImage } from "../image.ts";
import { onLoopback, type PortName, type Ports } from "../ports.ts";
import type { ServerControl, Snapshot, SpecialStart } from "../types.ts";
import { answering } from "./answer.ts";
import { createNetwork, type Network } from "./docker.ts";
import { Member, type MemberPlan } from "./member.ts";
import { freePort, type StartOptions } from "./process.ts";
import { pull } from "./pull.ts";

/** A server in a container of its image, or in a group of them. */
export class ContainerServer implements Server, ServerControl {
  readonly provider = "container";
  readonly isolated: boolean;
  version = "";
  readonly #definition: EngineDefinition;
  readonly #recipe: ContainerRecipe;
  readonly #client: ContainerRuntimeClient;
  readonly #context: RunContext;
  /** In the order of start. */
  readonly #companions: readonly { readonly member: Member; readonly recipe: Companion }[];
  readonly #published: Member;
  /** What a group shares; its name is known before it is there. */
  readonly #networkName: string | undefined;
  #network: Network | undefined;
  /** Folders with a copy of each member's data. */
  readonly #snapshots = new Map<Snapshot, string>();
  #ports: Ports = new Map();
  #ended = false;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(
    definition: EngineDefinition,
    recipe: ContainerRecipe,
    images: readonly WantedImage[],
    client: ContainerRuntimeClient,
    context: RunContext,
    { isolated, seed, base }: StartOptions,
  ) {
    this.#definition = definition;
    this.#recipe = recipe;
    this.#client = client;
    this.#context = context;
    this.isolated = isolated;
    this.#networkName = recipe.companions && `db-katas-${context.id}-${unique(definition.name)}`;
    const network = this.#networkName === undefined ? {} : { network: this.#networkName };
    const member = (plan: MemberPlan) => new Member({ ...plan, ...network }, client, context, seed);
    this.#companions = images.flatMap(({ companion, name: image }) => {
      if (!companion) return [];
      const describe = async () => ({ contents: companion.describe(context) });
      const { name } = companion;
      return [{ recipe: companion, member: member({ name, image, recipe: companion, describe }) }];
    });
    this.#published = member({
      name: definition.name,
      image: images.at(-1)?.name ?? "",
      recipe,
      describe: async () => {
        // Should somebody take it while the server is stopped, that one can't be started again.
        const chosen = definition.readdress || recipe.hostNetwork;
        const outside = chosen ? await freePort() : 0;
        const contents = recipe.describe(context, outside, base);
        const also = Object.values(definition.also ?? {});
        const published = [
          { inside: recipe.port, outside },
          ...also.map((inside) => ({ inside, outside: 0 })),
        ];
        return { contents, published };
      },
    });
  }

  /**
   * @param images that it takes, the published container's last
   * @param client of the runtime that the probe has found alive
   */
  static async start(
    definition: EngineDefinition,
    recipe: ContainerRecipe,
    images: readonly WantedImage[],
    client: ContainerRuntimeClient,
    context: RunContext,
    options: StartOptions,
  ): Promise<ContainerServer> {
    const server = new ContainerServer(definition, recipe, images, client, context, options);
    for (const image of images) await pull(client, image, context);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.end().catch(() => {});
      throw error;
    }
  }

  get source(): string {
    return containersOf(this.#all.map(({ image }) => image));
  }

  get adminUrl(): string {
    const url = this.#recipe.adminUrl(this.#context, this.#ports.get("main") ?? 0);
    return onLoopback(url, this.#ports);
  }

  get control(): ServerControl {
    return this;
  }

  get members(): readonly string[] {
    return this.#companions.length > 0 ? this.#all.map(({ name }) => name) : [];
  }

  start(special?: SpecialStart): Promise<void> {
    return this.#inTurn("start a container", async () => {
      if (this.#ended) throw new Error(`${this.#definition.name} has been ended`);
      if (this.#networkName)
        this.#network ??= await createNetwork(this.#client, this.#networkName, this.#context.id);
      // One that is paused says nothing, nor may those who come after it; whoever has paused it resumes it.
      let silent = false;
      for (const { member, recipe } of this.#companions) {
        silent = !(await member.start()) || silent;
        if (!silent) await this.#serving(member, recipe);
      }
      silent = !(await this.#published.start(special)) || silent;
      if (!silent) await this.#answering(special?.until);
    });
  }

  kill(member?: string): Promise<void> {
    return this.#inTurn("kill a container", async () => {
      await Promise.all(this.#chosen(member).map((each) => each.kill()));
    });
  }

  stop(member?: string): Promise<void> {
    return this.#inTurn("stop a container", async () => {
      for (const each of this.#chosen(member).reverse()) await each.stop();
    });
  }

  pause(member?: string): Promise<void> {
    return this.#inTurn("pause a container", async () => {
      await this.#freeze(this.#chosen(member));
    });
  }

  resume(member?: string): Promise<void> {
    return this.#inTurn("resume a container", async () => {
      let resumed = false;
      for (const each of this.#chosen(member)) resumed = (await each.resume()) || resumed;
      if (resumed) await this.#answering();
    });
  }

  /** Its data are volumes of the containers' own: new containers have new ones. */
  wipe(): Promise<void> {
    return this.#inTurn("remove a container", () => this.#remove(undefined));
  }

  capture(): Promise<Snapshot> {
    return this.#inTurn("copy data out of a container", async () => {
      const frozen = await this.#freeze(this.#all);
      try {
        const snapshot = { takenAt: Date.now() };
        this.#snapshots.set(snapshot, await this.#copy());
        return snapshot;
      } finally {
        for (const each of frozen.reverse()) await each.resume();
      }
    });
  }

  restore(snapshot: Snapshot): Promise<void> {
    return this.#inTurn("put data into a container", async () => {
      const copy = this.#snapshots.get(snapshot);
      if (!copy) throw snapshotUnknown(this.#definition.name);
      await this.#remove(copy);
    });
  }

  async snapshot(): Promise<string> {
    await this.stop();
    const copy = await this.#inTurn("copy data out of a container", () => this.#copy());
    await this.start();
    return copy;
  }

  touch(path: string): Promise<void> {
    return this.#inTurn("make a file in a container", async () => {
      await this.#published.run(["touch", path]);
    });
  }

  async memory(): Promise<number | undefined> {
    const used = await Promise.all(this.#all.map((each) => each.memory()));
    return used.reduce((sum = 0, bytes = 0) => sum + bytes, 0);
  }

  async log(lines: number): Promise<string> {
    const logs = await Promise.all(
      this.#all.map(async (each) => ({ name: each.name, text: await each.log(lines) })),
    );
    return logs
      .map(({ name, text }) => (logs.length > 1 ? `== ${name}\n${text}` : text))
      .join("\n");
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.wipe();
    await this.#inTurn("remove a network", async () => {
      const network = this.#network;
      this.#network = undefined;
      await network?.remove();
    });
    for (const copy of this.#snapshots.values()) await rm(copy, { recursive: true, force: true });
  }

  get #all(): Member[] {
    return [...this.#companions.map(({ member }) => member), this.#published];
  }

  /** All of them, in the order of start, or the one that is named. */
  #chosen(name: string | undefined): Member[] {
    return name === undefined ? this.#all : this.#all.filter((each) => each.name === name);
  }

  /**
   * First those whom nobody depends on: no copy of theirs tells of what is in nobody else's yet.
   * @returns whom it has paused
   */
  async #freeze(members: Member[]): Promise<Member[]> {
    const frozen: Member[] = [];
    for (const each of members.reverse()) if (await each.pause()) frozen.push(each);
    return frozen;
  }

  async #remove(seed: string | undefined): Promise<void> {
    for (const each of this.#all.reverse()) await each.remove(seed);
  }

  /** @returns a folder with a copy of each member's data */
  async #copy(): Promise<string> {
    const folder = join(this.#context.folder, unique("copy"));
    await mkdir(folder, { mode: 0o700 });
    for (const each of this.#all) await each.copyTo(folder);
    return folder;
  }

  async #answering(refused?: SpecialStart["until"]): Promise<void> {
    // A restart gives it other ports; our proxies' addresses don't change.
    const ports = new Map<PortName, number>();
    const inner = { main: this.#recipe.port, ...this.#definition.also };
    for (const [name, port] of Object.entries(inner))
      ports.set(name as PortName, await this.#published.published(port));
    this.#ports = ports;
    const ready = this.#recipe.ready ?? this.#definition.ready;
    const version = await this.#until(this.#published, this.#recipe, ready, refused);
    this.version = version ?? this.version;
  }

  async #serving(member: Member, recipe: Companion): Promise<void> {
    await this.#until(member, recipe, async () => {
      const { command, says } = recipe.serves;
      const output = await member.run(command);
      if (!says.test(output)) throw new Error(`${command.join(" ")} says: ${output.trim()}`);
      return "";
    });
  }

  async #until(
    member: Member,
    { startSeconds }: MemberRecipe,
    ready: EngineDefinition["ready"],
    refused?: SpecialStart["until"],
  ): Promise<string | undefined> {
    const ended = async () =>
      this.#context.ended.aborted ? "the run has ended" : await member.ended();
    try {
      return await answering({ ready }, this.adminUrl, ended, undefined, refused, startSeconds);
    } catch (error) {
      const { message } = error as Error;
      const reason = this.#companions.length > 0 ? `${member.name}: ${message}` : message;
      throw startFailed(this.#definition.name, this.source, reason, await member.log(40));
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
