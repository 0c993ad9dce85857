import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerRuntimeClient } from "testcontainers";
import { type RunContext, unique } from "../context.ts";
import type { Contents, MemberRecipe } from "../definition.ts";
import type { SpecialStart } from "../types.ts";
import {
  type Container,
  createContainer,
  fetchArchive,
  logOf,
  type PublishedPort,
  publishedPort,
  stateOf,
} from "./docker.ts";

/** What makes one container of a server different from another. */
export interface MemberPlan {
  /** Its address in the network that the server has, if it is a group. */
  readonly name: string;
  readonly image: string;
  readonly recipe: MemberRecipe;
  /** The network's name. */
  readonly network?: string;
  /** Asked for each container that is made. */
  describe(): Promise<{
    readonly contents: Contents;
    readonly published?: readonly PublishedPort[];
  }>;
}

/** One container of a server. It may be made anew, with other arguments or other data. */
export class Member {
  readonly #plan: MemberPlan;
  readonly #client: ContainerRuntimeClient;
  readonly #context: RunContext;
  #container: Container | undefined;
  /** The folder with the copies that the next new container starts with; without one, it starts empty. */
  #seed: string | undefined;
  /** Where its ports were to be published. */
  #planned: readonly PublishedPort[] = [];
  /** Whether the container was made with arguments that are not the recipe's. */
  #special = false;

  constructor(
    plan: MemberPlan,
    client: ContainerRuntimeClient,
    context: RunContext,
    seed: string | undefined,
  ) {
    this.#plan = plan;
    this.#client = client;
    this.#context = context;
    this.#seed = seed;
  }

  get name(): string {
    return this.#plan.name;
  }

  get image(): string {
    return this.#plan.image;
  }

  /** @returns whether it runs now; one that is paused does not, and is left so */
  async start(special?: SpecialStart): Promise<boolean> {
    if (this.#container) {
      const { Running, Paused } = await stateOf(this.#container);
      if (Running) return !Paused;
    }
    if (this.#container && (special || this.#special)) await this.#remake(this.#container, special);
    this.#container ??= await this.#create([], this.#copyIn(this.#seed));
    await this.#container.start();
    return true;
  }

  async kill(): Promise<void> {
    const container = this.#container;
    if (!container || !(await stateOf(container)).Running) return;
    await container.kill({ signal: "SIGKILL" });
    // What is paused dies when it goes on; some runtimes see to that themselves, maybe just now.
    if ((await stateOf(container)).Paused) await container.unpause().catch(() => {});
    await container.wait();
  }

  async stop(): Promise<void> {
    if (!this.#container) return;
    const { Running, Paused } = await stateOf(this.#container);
    if (Paused) await this.#container.unpause();
    if (Running) await this.#container.stop({ t: this.#plan.recipe.stopSeconds });
  }

  /** @returns whether it has been running until now */
  async pause(): Promise<boolean> {
    if (!this.#container) return false;
    const { Running, Paused } = await stateOf(this.#container);
    if (!Running || Paused) return false;
    await this.#container.pause();
    return true;
  }

  /** @returns whether it has been paused until now */
  async resume(): Promise<boolean> {
    if (!this.#container || !(await stateOf(this.#container)).Paused) return false;
    await this.#container.unpause();
    return true;
  }

  /**
   * Its data go with it: they are in the container, or in a volume of its own.
   * @param seed the folder with the copies to start from next
   */
  async remove(seed: string | undefined): Promise<void> {
    const container = this.#container;
    this.#container = undefined;
    this.#special = false;
    this.#seed = seed;
    await container?.remove({ force: true, v: true });
  }

  /** Copies its data into a folder of copies, as a tar file; the container may be down. */
  async copyTo(folder: string): Promise<void> {
    const { data } = this.#plan.recipe;
    if (!this.#container) throw new Error(`${this.name} has no data yet`);
    if (data) await fetchArchive(this.#container, data, join(folder, `${this.name}.tar`));
  }

  /**
   * Runs a command in it.
   * @returns what it says
   * @throws when it fails
   */
  async run(command: readonly string[]): Promise<string> {
    if (!this.#container) throw new Error(`${this.name} is not there`);
    const { exitCode, output } = await this.#client.container.exec(this.#container, [...command]);
    if (exitCode !== 0) throw new Error(output.trim() || `exit code ${exitCode}`);
    return output;
  }

  /** Why it will not answer any more; undefined while it runs. */
  async ended(): Promise<string | undefined> {
    if (!this.#container) return "its container was removed";
    const { Running, ExitCode } = await stateOf(this.#container);
    return Running ? undefined : `its container ended with code ${ExitCode}`;
  }

  /** Where a port of it is published on this machine: at each start another one; 0 while it is down. */
  async published(inside: number): Promise<number> {
    if (this.#plan.recipe.hostNetwork)
      return this.#planned.find((each) => each.inside === inside)?.outside ?? 0;
    return this.#container ? publishedPort(this.#container, inside) : 0;
  }

  async memory(): Promise<number | undefined> {
    // The first sample will do; without that, the runtime waits for a second one.
    const stats = await this.#container?.stats({ stream: false, "one-shot": true });
    return stats?.memory_stats.usage;
  }

  async log(lines: number): Promise<string> {
    return this.#container ? logOf(this.#container, lines) : "";
  }

  /** @param copy of its data */
  async #create(args: readonly string[], copy: string | undefined): Promise<Container> {
    const { name, image, recipe, network } = this.#plan;
    const { contents, published = [] } = await this.#plan.describe();
    this.#planned = published;
    const container = await createContainer(this.#client, {
      name: `db-katas-${this.#context.id}-${unique(name)}`,
      run: this.#context.id,
      image,
      contents: { ...contents, command: [...contents.command, ...args] },
      memoryBytes: recipe.memoryBytes,
      hostNetwork: recipe.hostNetwork,
      published,
      // The image of a published container has the folder, with the rights that its server needs.
      ...(published.length > 0 ? {} : { volume: recipe.data }),
      ...(network ? { network: { name: network, alias: name } } : {}),
    });
    if (copy && recipe.data) await container.putArchive(copy, { path: recipe.data });
    return container;
  }

  #copyIn(folder: string | undefined): string | undefined {
    const copy = folder && join(folder, `${this.name}.tar`);
    return copy && existsSync(copy) ? copy : undefined;
  }

  /** Arguments are settled when a container is made: other ones take another container with the same data. */
  async #remake(old: Container, special: SpecialStart | undefined): Promise<void> {
    const { folder } = this.#context;
    const copy = join(folder, `${unique("copy")}.tar`);
    const { data } = this.#plan.recipe;
    if (data) await fetchArchive(old, data, copy);
    await this.remove(undefined);
    this.#container = await this.#create(special?.args ?? [], data && copy);
    this.#special = special !== undefined;
    await rm(copy, { force: true });
  }
}
