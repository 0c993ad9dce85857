import type { RunContext } from "./context.ts";
import type { EngineDefinition, Namespaces, Server } from "./definition.ts";
import { EngineLease } from "./lease.ts";
import type { Capability, Lease, LeaseTemplate, ProviderName, RunningEngine } from "./types.ts";

/** A live server together with who deals out its namespaces. */
export class Engine implements RunningEngine {
  readonly name: string;
  readonly capabilities: readonly Capability[];
  readonly #definition: EngineDefinition;
  readonly #server: Server;
  readonly #namespaces: Namespaces;
  readonly #leases = new Set<EngineLease>();
  #ended: Promise<void> | undefined;

  private constructor(
    definition: EngineDefinition,
    server: Server,
    namespaces: Namespaces,
    capabilities: readonly Capability[],
  ) {
    this.name = definition.name;
    this.#definition = definition;
    this.capabilities = capabilities;
    this.#server = server;
    this.#namespaces = namespaces;
  }

  static async open(
    definition: EngineDefinition,
    server: Server,
    capabilities: readonly Capability[],
    context: RunContext,
  ): Promise<Engine> {
    return new Engine(
      definition,
      server,
      await definition.openNamespaces(server, context),
      capabilities,
    );
  }

  get provider(): ProviderName {
    return this.#server.provider;
  }

  get version(): string {
    return this.#server.version;
  }

  get source(): string {
    return this.#server.source;
  }

  get adminUrl(): string {
    return this.#server.adminUrl;
  }

  /** A namespace and its proxies; a private server ends with its lease. */
  async lease(template: LeaseTemplate | undefined, base?: Lease): Promise<EngineLease> {
    const namespace = await this.#namespaces.take(template, base?.namespace);
    const release = async () => {
      this.#leases.delete(lease);
      if (this.#server.isolated) await this[Symbol.asyncDispose]();
      await base?.[Symbol.asyncDispose]();
    };
    const lease = new EngineLease(this, this.#definition, this.#server, namespace, release, base);
    this.#leases.add(lease);
    return lease;
  }

  /** Does ahead what a lease would have to wait for. */
  async prepare(template: LeaseTemplate | undefined): Promise<void> {
    await (template ? this.#namespaces.prepare(template) : this.#namespaces.prepareEmpty?.());
  }

  /** A copy of this server's data in which the template has been built. */
  async snapshot(template: LeaseTemplate): Promise<string | undefined> {
    await this.#namespaces.prepare(template);
    return this.#server.snapshot?.();
  }

  async reset(): Promise<void> {
    const control = this.#server.control;
    if (this.#server.isolated && control && !this.#definition.runsOn) {
      await control.kill();
      await control.wipe();
      await control.start();
      return;
    }
    if (!this.#server.isolated)
      await Promise.all([...this.#leases].map((lease) => lease[Symbol.asyncDispose]()));
    await this.#namespaces.reset();
  }

  memory(): Promise<number | undefined> {
    return this.#server.memory();
  }

  log(lines = 40): Promise<string> {
    return this.#server.log(lines);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#ended ??= (async () => {
      if (!this.#server.isolated)
        await Promise.all([...this.#leases].map((lease) => lease[Symbol.asyncDispose]()));
      await this.#namespaces.close();
      await this.#server.end();
    })();
    return this.#ended;
  }
}
