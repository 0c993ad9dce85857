import type { RunContext } from "../context.ts";
import type { EngineDefinition, Found, PreparedServer, Server } from "../definition.ts";
import { EngineError } from "../errors.ts";
import type { Capability, Offer, ProviderName } from "../types.ts";
import { offerContainer, startContainer } from "./containers.ts";
import { offerExternal, startExternal } from "./external.ts";
import { ProcessServer, type StartOptions } from "./process.ts";
import { smallDisks } from "./small-disk.ts";

/** One way to come by a running engine. */
export interface Provider {
  readonly name: ProviderName;
  /** What it can't do, whatever the engine can. */
  readonly lacks: readonly Capability[];
  /** Whether it can start servers for one lease alone. */
  readonly instances: boolean;
  /**
   * Starts nothing; all providers together take ≤ 300 ms.
   * @param patient whether to wait for seconds where something is too busy to answer
   */
  offer(definition: EngineDefinition, env: NodeJS.ProcessEnv, patient: boolean): Promise<Found>;
  start(definition: EngineDefinition, context: RunContext, options: StartOptions): Promise<Server>;
}

const serverFaults: readonly Capability[] = [
  "kill",
  "stop",
  "pause",
  "restart",
  "restartEmpty",
  "restartStale",
  "readonly",
  "outOfMemory",
  "diskFull",
  "loading",
];
const prepared = new WeakMap<RunContext, Map<string, Promise<PreparedServer>>>();

/** In the order in which they are asked. */
export const providers: readonly Provider[] = [
  {
    name: "external",
    lacks: serverFaults,
    instances: false,
    offer: offerExternal,
    start: startExternal,
  },
  {
    name: "container",
    lacks: ["diskFull"],
    instances: true,
    offer: offerContainer,
    start: startContainer,
  },
  {
    name: "process",
    lacks: [],
    instances: true,
    offer: offerProcess,
    start: async (definition, context, options) =>
      ProcessServer.start(definition, await prepareOnce(definition, context), context, options),
  },
  {
    name: "library",
    lacks: [...serverFaults, "network", "delay", "partition", "gate"],
    instances: true,
    offer: async ({ library, title }) =>
      library
        ? { offered: true, ...library }
        : { offered: false, reason: `${title} is a server, not a library` },
    start: async ({ library }, context, { isolated }) => ({
      provider: "library",
      source: library?.source ?? "",
      version: library?.version ?? "",
      isolated,
      adminUrl: context.folder,
      memory: async () => undefined,
      log: async () => "",
      end: async () => {},
    }),
  },
];

/** What a provider can't do, whatever the engine. */
export function lacksOf(provider: ProviderName): readonly Capability[] {
  return providers.find(({ name }) => name === provider)?.lacks ?? [];
}

async function offerProcess(
  { process: recipe, title }: EngineDefinition,
  env: NodeJS.ProcessEnv,
): Promise<Found> {
  if (!recipe) return { offered: false, reason: `there is no recipe to run ${title} as a process` };
  const [found, fillable] = await Promise.all([recipe.offer(env), smallDisks()]);
  return fillable ? found : { ...found, lacks: [...(found.lacks ?? []), "diskFull"] };
}

function prepareOnce(definition: EngineDefinition, context: RunContext): Promise<PreparedServer> {
  const recipe = definition.process;
  if (!recipe) throw new Error(`${definition.name} has no process recipe`);
  const known = prepared.get(context) ?? new Map<string, Promise<PreparedServer>>();
  prepared.set(context, known);
  let server = known.get(definition.name);
  if (!server) {
    server = recipe.prepare(context);
    known.set(definition.name, server);
    server.catch(() => known.delete(definition.name));
  }
  return server;
}

/**
 * Asks the providers that `KATA_ENGINES` admits, all at the same time.
 * @param patient as for {@link Provider.offer}
 */
export async function collectOffers(
  definition: EngineDefinition,
  env: NodeJS.ProcessEnv,
  patient = false,
): Promise<Offer[]> {
  const wanted = env.KATA_ENGINES || "auto";
  if (wanted !== "auto" && !providers.some(({ name }) => name === wanted)) {
    throw new EngineError("SETTING_INVALID", {
      happened: `KATA_ENGINES=${wanted} is not a provider`,
      remedy: "use one of: auto, external, container, process",
    });
  }
  return Promise.all(
    providers.map(async ({ name, lacks, offer }): Promise<Offer> => {
      // A library has no alternative: forcing a provider of servers doesn't concern it.
      const excluded = wanted !== "auto" && wanted !== name && name !== "library";
      if (excluded)
        return {
          provider: name,
          offered: false,
          reason: `KATA_ENGINES=${wanted} excludes it`,
          remedy: "unset KATA_ENGINES",
        };
      const { lacks: lacking = [], ...found } = await offer(definition, env, patient);
      if (!found.offered) return { provider: name, ...found };
      return {
        provider: name,
        ...found,
        capabilities: definition.capabilities.filter(
          (each) => !lacks.includes(each) && !lacking.includes(each),
        ),
      };
    }),
  );
}

/**
 * The offers that fit, best first: in the providers' order, but what is here already comes before
 * what has to be fetched, so that a first run doesn't begin with a download.
 */
export function fitting(
  offers: readonly Offer[],
  needs: readonly Capability[],
): Extract<Offer, { offered: true }>[] {
  return offers
    .filter((offer) => offer.offered)
    .filter((offer) => needs.every((need) => offer.capabilities.includes(need)))
    .sort((a, b) => Number(a.fetch !== undefined) - Number(b.fetch !== undefined));
}
