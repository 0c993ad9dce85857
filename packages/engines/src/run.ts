import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { loadBundle } from "./bundle/load.ts";
import { saveBundle } from "./bundle/save.ts";
import { cacheFolder } from "./cache.ts";
import type { RunContext } from "./context.ts";
import type { EngineDefinition } from "./definition.ts";
import { Engine } from "./engine.ts";
import { EngineError, engineUnavailable, engineUnknown, runEnded } from "./errors.ts";
import { installPackage, packageStates } from "./fetch/install.ts";
import { Instances } from "./instances.ts";
import { collectOffers, fitting, type Provider, providers } from "./providers/index.ts";
import { loadDefinitions } from "./registry.ts";
import { endingSignals, follow, isDecidedElsewhere } from "./signals.ts";
import type {
  Capability,
  EngineRequest,
  EngineRun,
  Lease,
  LoadedPackage,
  Offer,
  PackageState,
  ProbeResult,
  SavedBundle,
} from "./types.ts";
import { serverUser, untraversable } from "./user.ts";
import { Watcher } from "./watcher/client.ts";
import { lastResort, runParents } from "./watcher/run-folder.ts";
import { folderPrefix } from "./watcher/sweep.ts";

export interface OpenOptions {
  /** Where settings are read from. Default `process.env`. */
  readonly env?: NodeJS.ProcessEnv;
  /** Told about anything that takes more than a second, such as fetching. */
  readonly onProgress?: (message: string) => void;
  /** Ends the run, with all of its servers. */
  readonly signal?: AbortSignal;
  /** A folder of further definitions, one folder for each engine. */
  readonly definitions?: string;
}

/**
 * Opens a run: engines that are started when they are asked for, and are gone when it is disposed,
 * or when this process ends in any other way.
 * @throws EngineError
 */
export async function openEngines(options: OpenOptions = {}): Promise<EngineRun> {
  options.signal?.throwIfAborted();
  const run = new Run(options);
  await run.ready();
  return run;
}

class Run implements EngineRun {
  readonly id = randomBytes(4).toString("hex");
  readonly folder: string;
  readonly #context: RunContext;
  readonly #definitions: Promise<ReadonlyMap<string, EngineDefinition>>;
  readonly #shared = new Map<string, Promise<Engine>>();
  readonly #offers = new Map<string, Promise<Offer[]>>();
  readonly #instances: Instances;
  readonly #work = new Set<Promise<unknown>>();
  readonly #ending = new AbortController();
  #ended: Promise<void> | undefined;
  readonly #stopListening: () => void;

  constructor({ env = process.env, onProgress = () => {}, signal, definitions }: OpenOptions) {
    this.#definitions = loadDefinitions(definitions);
    this.#definitions.catch(() => {});
    const user = serverUser();
    // Servers of another user must be able to reach their data.
    const parent = runParents(env).find((each) => !untraversable(each, user)) ?? lastResort;
    this.folder = join(parent, `${folderPrefix}${this.id}`);
    this.#context = {
      id: this.id,
      folder: this.folder,
      env,
      user,
      cache: cacheFolder(env),
      secret: randomBytes(16).toString("hex"),
      watcher: new Watcher(this.folder),
      ended: this.#ending.signal,
      progress: onProgress,
    };
    this.#instances = new Instances(this.#context);
    this.#stopListening = this.#endOnSignals(signal);
  }

  ready(): Promise<void> {
    return this.#context.watcher.ready();
  }

  async probe(engine: string, needs: readonly Capability[] = []): Promise<ProbeResult> {
    const definition = await this.#definition(engine, needs);
    const offers = await collectOffers(definition, this.#context.env);
    const chosen = fitting(offers, needs)[0];
    return { engine, offers, ...(chosen ? { chosen } : {}) };
  }

  async lease(engine: string, request: EngineRequest = {}): Promise<Lease> {
    if (this.#ended) throw runEnded();
    try {
      return await this.#context.watcher.whileAlive(() => this.#lease(engine, request));
    } catch (error) {
      // Without the watcher everything fails somehow, and so does what was under way at the end: say why.
      throw this.#context.watcher.death ?? (this.#ended ? runEnded() : error);
    }
  }

  async #lease(engine: string, request: EngineRequest): Promise<Lease> {
    const needs = request.needs ?? [];
    const definition = await this.#definition(engine, needs);
    const isolated = request.isolation === "instance";
    const offersOf = async (patient: boolean) =>
      (await this.#offersOf(definition, patient)).map((offer) =>
        isolated ? ownServer(offer) : offer,
      );
    let offers = await offersOf(false);
    const late = offers.some((offer) => !offer.offered && offer.late);
    // Who would go away with nothing waits for what was too busy to answer.
    if (late && fitting(offers, needs).length === 0) offers = await offersOf(true);
    const candidates = fitting(offers, needs);
    for (const [index, offer] of candidates.entries()) {
      try {
        return await this.#leaseFrom(definition, providerOf(offer), offer.capabilities, request);
      } catch (error) {
        const next = candidates[index + 1];
        if (!next || !(error instanceof EngineError) || error.code !== "FETCH_FAILED") throw error;
        this.#context.progress(`${error.message}\n${engine}: trying ${next.provider} instead`);
      }
    }
    throw engineUnavailable(engine, needs, offers);
  }

  async packages(engine: string): Promise<PackageState[]> {
    return packageStates(await this.#definition(engine), this.#context.env);
  }

  async install(
    engine: string,
    name: string,
    onBytes: (bytes: number) => void,
  ): Promise<PackageState> {
    if (this.#ended) throw runEnded();
    const definition = await this.#definition(engine);
    try {
      return await installPackage(definition, name, this.#context, onBytes);
    } catch (error) {
      // A client that ends with its run has not failed.
      throw this.#ended ? runEnded() : error;
    }
  }

  async saveBundle(
    engines: readonly string[],
    file: string,
    onBytes: (bytes: number) => void,
  ): Promise<SavedBundle> {
    const definitions = await Promise.all(engines.map((engine) => this.#definition(engine)));
    return this.#beforeTheEnd(() => saveBundle(file, definitions, this.#context, onBytes));
  }

  async loadBundle(file: string, onPackage: (loaded: LoadedPackage) => void): Promise<void> {
    const definitions = [...(await this.#definitions).values()];
    await this.#beforeTheEnd(() => loadBundle(file, definitions, this.#context, onPackage));
  }

  /** The end of the run breaks it off, and waits until it has cleared away what was half done. */
  async #beforeTheEnd<T>(work: () => Promise<T>): Promise<T> {
    if (this.#ended) throw runEnded();
    const underWay = work();
    this.#work.add(underWay);
    try {
      return await underWay;
    } catch (error) {
      throw this.#ended ? runEnded() : error;
    } finally {
      this.#work.delete(underWay);
    }
  }

  async adopt(pid: number): Promise<void> {
    await this.#context.watcher.ask({ op: "adopt", pid });
  }

  disown(pid: number): void {
    this.#context.watcher.ask({ op: "disown", pid }).catch(() => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#ended ??= (async () => {
      this.#ending.abort();
      const engines = await Promise.allSettled(this.#shared.values());
      const closing = engines.flatMap((each) =>
        each.status === "fulfilled" ? [each.value[Symbol.asyncDispose]()] : [],
      );
      await Promise.allSettled([...closing, ...this.#work, this.#instances.end()]);
      await this.#context.watcher.end();
      // Not before: who listens only as long as others do would end this process in the middle of it.
      this.#stopListening();
    })();
    return this.#ended;
  }

  async #definition(name: string, needs: readonly Capability[] = []): Promise<EngineDefinition> {
    const definitions = await this.#definitions;
    const definition = definitions.get(name);
    if (!definition) throw engineUnknown(name, [...definitions.keys()]);
    const variant = needs.map((need) => definition.variants?.[need]).find(Boolean);
    return variant === undefined ? definition : this.#definition(variant, needs);
  }

  /** Asked once per run: what was there for the first lease is there for the next. */
  #offersOf(definition: EngineDefinition, patient: boolean): Promise<Offer[]> {
    const key = `${definition.name} ${patient}`;
    let offers = this.#offers.get(key);
    if (!offers) {
      offers = collectOffers(definition, this.#context.env, patient);
      this.#offers.set(key, offers);
      offers.catch(() => this.#offers.delete(key));
    }
    return offers;
  }

  async #leaseFrom(
    definition: EngineDefinition,
    provider: Provider,
    capabilities: readonly Capability[],
    request: EngineRequest,
  ): Promise<Lease> {
    const base = await this.#baseOf(definition, request);
    try {
      return await this.#leaseOn(base, definition, provider, capabilities, request);
    } catch (error) {
      await base?.[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The lease on the engine that this one runs on, if it does. */
  async #baseOf({ runsOn }: EngineDefinition, request: EngineRequest): Promise<Lease | undefined> {
    if (runsOn === undefined) return undefined;
    const { isolation = "namespace" } = request;
    // Of ours: on a user's own, what the engine keeps there beside its leases would stay behind.
    return this.lease(runsOn, { isolation, needs: ["restart"] });
  }

  async #leaseOn(
    base: Lease | undefined,
    definition: EngineDefinition,
    provider: Provider,
    capabilities: readonly Capability[],
    request: EngineRequest,
  ): Promise<Lease> {
    const { alone, wholeServer = [] } = definition;
    // A server given by URL is one, whatever it can't be divided into.
    const own =
      (alone && provider.instances) || request.needs?.some((each) => wholeServer.includes(each));
    if (request.isolation === "instance" || own) {
      return this.#instances.lease(definition, provider, capabilities, request, base);
    }
    const key = `${definition.name} ${provider.name}`;
    let engine = this.#shared.get(key);
    if (!engine) {
      const shared = capabilities.filter((each) => !wholeServer.includes(each));
      engine = provider
        .start(definition, this.#context, {
          isolated: false,
          // All leases' bases are on one server, too.
          ...(base ? { base: base.engine.adminUrl } : {}),
        })
        .then((server) => Engine.open(definition, server, shared, this.#context));
      this.#shared.set(key, engine);
      engine.catch(() => this.#shared.delete(key));
    }
    return (await engine).lease(request.template, base);
  }

  /** Ends in good order when asked to. Where somebody else listens too, it is theirs to decide. */
  #endOnSignals(abort: AbortSignal | undefined): () => void {
    const end = () => this[Symbol.asyncDispose]();
    const onSignal = (name: NodeJS.Signals) => {
      if (isDecidedElsewhere(name)) return;
      end().finally(() => process.kill(process.pid, name));
    };
    follow(onSignal);
    for (const name of endingSignals) process.on(name, onSignal);
    abort?.addEventListener("abort", end, { once: true });
    return () => {
      for (const name of endingSignals) process.off(name, onSignal);
      abort?.removeEventListener("abort", end);
    };
  }
}

function providerOf(offer: Offer): Provider {
  const provider = providers.find(({ name }) => name === offer.provider);
  if (!provider) throw new Error(`no provider ${offer.provider}`);
  return provider;
}

function ownServer(offer: Offer): Offer {
  if (!offer.offered || providerOf(offer).instances) return offer;
  return {
    provider: offer.provider,
    offered: false,
    reason: "a server given by URL can't be had for one lease alone",
  };
}
