import { Circulation } from "./circulation.ts";
import type { RunContext } from "./context.ts";
import type { EngineDefinition, Server } from "./definition.ts";
import { Engine } from "./engine.ts";
import type { Provider } from "./providers/index.ts";
import type { StartOptions } from "./providers/process.ts";
import type { Capability, EngineRequest, Lease, LeaseTemplate } from "./types.ts";

/** A server for which nobody has asked yet. */
interface Spare {
  /** The folder that it was started from; absent where that was an empty one. */
  readonly seed: string | undefined;
  readonly server: Promise<Server>;
}

/** Servers that are started for one lease alone. */
export class Instances {
  readonly #context: RunContext;
  /** Data folders in which a template has been built already, by engine, provider and key. */
  readonly #snapshots = new Map<string, Promise<string | undefined>>();
  /** One for each engine at most. */
  readonly #spares = new Map<string, Spare>();
  /** From what an engine's last server was started. */
  readonly #lastSeeds = new Map<string, string | undefined>();
  readonly #circulations = new Map<string, Circulation>();
  readonly #engines = new Set<Engine>();
  readonly #starting = new Set<Promise<Server>>();
  #ended = false;

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
    if (!template) {
      const engine = await open(await this.#start(definition, provider, smallDisk));
      return this.#leaseOf(engine, undefined);
    }

    const key = `${definition.name} ${provider.name} ${template.key}`;
    const known = this.#snapshots.get(key);
    if (known) {
      const server = await this.#start(definition, provider, smallDisk, await known);
      return this.#leaseOf(await open(server), template);
    }
    // The first one builds, and leaves a copy for those who follow.
    const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
    promise.catch(() => this.#snapshots.delete(key));
    this.#snapshots.set(key, promise);
    try {
      const engine = await open(await this.#start(definition, provider, smallDisk));
      resolve(await engine.snapshot(template));
      return await this.#leaseOf(engine, template);
    } catch (error) {
      reject(error);
      throw error;
    }
  }

  async end(): Promise<void> {
    this.#ended = true;
    // Spares among them. What is an engine already ends as one; ending a server twice is harmless.
    const spares = [...this.#spares.values()].map(({ server }) => server);
    const starting = await Promise.allSettled([...this.#starting, ...spares]);
    await Promise.allSettled([
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

  /**
   * Takes the spare where there is one of that seed. Who is the second in a row to ask for such a server
   * has the next one started: leases that differ from each other would start one in vain each.
   */
  async #start(
    definition: EngineDefinition,
    provider: Provider,
    smallDisk: boolean,
    seed?: string,
  ): Promise<Server> {
    const { name, process: recipe } = definition;
    const options = { isolated: true, smallDisk, ...(seed === undefined ? {} : { seed }) };
    const start = () => this.#launch(definition, provider, options);
    if (smallDisk || provider.name !== "process" || !recipe?.spare) return start();
    const again = this.#lastSeeds.has(name) && this.#lastSeeds.get(name) === seed;
    this.#lastSeeds.set(name, seed);
    const spare = this.#spares.get(name);
    const fits = spare !== undefined && spare.seed === seed;
    if (fits || again) this.#spares.delete(name);
    if (!fits && again) spare?.server.then((server) => server.end()).catch(() => {});
    const server = await ((fits && spare.server) || start());
    if (again && !this.#ended && !this.#spares.has(name)) {
      const next: Spare = { seed, server: start() };
      next.server.catch(() => {
        if (this.#spares.get(name) === next) this.#spares.delete(name);
      });
      this.#spares.set(name, next);
    }
    return server;
  }
}
