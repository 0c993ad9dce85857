import { Circulation } from "./circulation.ts";
import type { RunContext } from "./context.ts";
import type { EngineDefinition, Server } from "./definition.ts";
import { Engine } from "./engine.ts";
import type { Provider } from "./providers/index.ts";
import type { StartOptions } from "./providers/process.ts";
import { Spares } from "./spares.ts";
import type { Capability, EngineRequest, Lease, LeaseTemplate } from "./types.ts";

/** Servers that are started for one lease alone. */
export class Instances {
  readonly #context: RunContext;
  /** Data folders in which a template has been built already, by engine, provider and key. */
  readonly #snapshots = new Map<string, Promise<string | undefined>>();
  readonly #spares = new Map<string, Spares>();
  readonly #circulations = new Map<string, Circulation>();
  readonly #engines = new Set<Engine>();
  readonly #starting = new Set<Promise<Server>>();

  constructor(context: RunContext) {
    this.#context = context;
  }

  async lease(
    definition: EngineDefinition,
    provider: Provider,
    capabilities: readonly Capability[],
    { template, needs }: EngineRequest,
    base?: Lease,
  ): Promise<Lease> {
    const smallDisk = needs?.includes("diskFull") === true;
    const open = async (server: Server) => {
      const engine = await Engine.open(definition, server, capabilities, this.#context);
      this.#engines.add(engine);
      return engine;
    };
    if (base) {
      // Through a proxy of its own, so that faults of the base's lease can come between the two.
      const options = { isolated: true, smallDisk, base: await base.urlFor(definition.name) };
      const engine = await open(await this.#launch(definition, provider, options));
      return this.#leaseOf(engine, template, base);
    }
    const circulation = smallDisk ? undefined : this.#circulation(definition, provider);
    // It comes with the template in it.
    if (circulation) return this.#leaseOf(await open(await circulation.take(template)), undefined);
    const start = async (seed?: string) => {
      const from = seed === undefined ? {} : { seed };
      return open(await this.#launch(definition, provider, { isolated: true, smallDisk, ...from }));
    };
    const spares = smallDisk ? undefined : this.#sparesOf(definition, provider);
    const lease = async (seed?: string) => {
      const prepared = async () => {
        const engine = await start(seed);
        // What is in the way of it will be so again when the lease comes.
        await engine.prepare(template).catch(() => {});
        return engine;
      };
      const engine = await (spares?.take(template?.key, prepared) ?? prepared());
      return this.#leaseOf(engine, template);
    };
    if (!template) return lease();

    const key = `${definition.name} ${provider.name} ${template.key}`;
    const known = this.#snapshots.get(key);
    if (known) return lease(await known);
    // The first one builds, and leaves a copy for those who follow.
    const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
    promise.catch(() => this.#snapshots.delete(key));
    this.#snapshots.set(key, promise);
    try {
      const engine = await start();
      resolve(await engine.snapshot(template));
      return await this.#leaseOf(engine, template);
    } catch (error) {
      reject(error);
      throw error;
    }
  }

  async end(): Promise<void> {
    const spares = [...this.#spares.values()].map((each) => each.end());
    // What is an engine already ends as one; ending a server twice is harmless.
    const starting = await Promise.allSettled(this.#starting);
    await Promise.allSettled([
      ...spares,
      ...[...this.#engines].map((engine) => engine[Symbol.asyncDispose]()),
      ...starting.map((each) => (each.status === "fulfilled" ? each.value.end() : undefined)),
      ...[...this.#circulations.values()].map((each) => each.end()),
    ]);
  }

  #circulation(definition: EngineDefinition, provider: Provider): Circulation | undefined {
    if (!definition.recycling) return undefined;
    const key = `${definition.name} ${provider.name}`;
    let circulation = this.#circulations.get(key);
    if (!circulation) {
      circulation = new Circulation(definition.recycling, (seed) =>
        this.#launch(definition, provider, {
          isolated: true,
          ...(seed === undefined ? {} : { seed }),
        }),
      );
      this.#circulations.set(key, circulation);
    }
    return circulation;
  }

  async #leaseOf(
    engine: Engine,
    template: LeaseTemplate | undefined,
    base?: Lease,
  ): Promise<Lease> {
    try {
      return await engine.lease(template, base);
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      this.#engines.delete(engine);
      throw error;
    }
  }

  async #launch(
    definition: EngineDefinition,
    provider: Provider,
    options: StartOptions,
  ): Promise<Server> {
    const server = provider.start(definition, this.#context, options);
    this.#starting.add(server);
    return server.finally(() => this.#starting.delete(server));
  }

  #sparesOf({ name, process: recipe }: EngineDefinition, provider: Provider): Spares | undefined {
    if (provider.name !== "process" || !recipe?.spares) return undefined;
    let spares = this.#spares.get(name);
    if (!spares) {
      spares = new Spares(recipe.spares);
      this.#spares.set(name, spares);
    }
    return spares;
  }
}
