/** What an engine is made of. A new engine is a folder in `definitions/` that exports one {@link EngineDefinition}. */
import type { Arrivals } from "./arrivals.ts";
import type { RunContext } from "./context.ts";
import type { Bundle } from "./fetch/package.ts";
import type { FurtherPort, Ports } from "./ports.ts";
import type { Readdress } from "./readdress.ts";
import type {
  Capability,
  Heal,
  LeaseTemplate,
  Offer,
  ProviderName,
  ServerControl,
  Trouble,
} from "./types.ts";
import type { Launch } from "./watcher/protocol.ts";
import type { Wire } from "./wire.ts";

/** An engine as a description. It has no port to ask for; its recipes run only when it is leased. */
export interface EngineDefinition {
  readonly name: string;
  readonly title: string;
  /** SPDX expression, for people who ask what they are about to run. */
  readonly licence: string;
  /** What the engine can do when the provider stands in the way of nothing. */
  readonly capabilities: readonly Capability[];
  /** Who takes its place where a request needs a capability that this one lacks: another definition's name. */
  readonly variants?: { readonly [capability in Capability]?: string };
  /**
   * What belongs to a whole server, of all that it can do: a shared one doesn't have it, and who needs it
   * gets a server of its own.
   */
  readonly wholeServer?: readonly Capability[];
  /** It has one database and no more, so that each lease gets a server of its own. */
  readonly alone?: true;
  /** How one of those serves lease after lease; where absent, it ends with its first. */
  readonly recycling?: Recycling;
  /**
   * Another engine, whose server each of its own needs. A lease brings a lease on that one along, with
   * the same isolation and the same namespace (`Lease.base`).
   */
  readonly runsOn?: string;
  /** Ports that its clients need besides that of its address, with the number that each usually has. */
  readonly also?: { readonly [name in FurtherPort]?: number };
  /** Pinned official image, from the Dockerfile beside the definition. */
  readonly image?: string;
  /** Where no registry has it: the folder with the Dockerfile that it is built of. */
  readonly imageFolder?: string;
  /** Environment variable that names a server of the user's own. */
  readonly urlVariable?: string;
  /** How such an address looks, where it isn't `<name>://user:password@host:port`. */
  readonly urlExample?: string;
  /**
   * The readiness probe.
   * @returns the server's version
   * @throws anything, while it does not answer yet
   */
  ready(adminUrl: string): Promise<string>;
  /** The leasing recipe. */
  openNamespaces(server: Server, context: RunContext): Promise<Namespaces>;
  readonly process?: ProcessRecipe;
  readonly container?: ContainerRecipe;
  /** How its clients and servers talk; where absent, no message of theirs can be held. */
  readonly wire?: Wire;
  /** Set where its servers tell clients their own address. */
  readonly readdress?: Readdress;
  /**
   * What its server, run as a process, logs of each TCP connection: a global expression with the
   * groups `port`, where it comes from, and `namespace` where that is told. Connections of an
   * administrator need not match.
   */
  readonly arrivals?: RegExp;
  /** How to make the troubles whose capabilities it declares. */
  readonly troubles?: Troubles;
  /** Set for an engine that lives inside its client. */
  readonly library?: { readonly source: string; readonly version: string };
}

/** For servers that have one database each. */
export interface Recycling {
  /**
   * How many servers nobody has yet, at most, from a run's second lease on; those that are started from
   * a folder only for a lease like the last two. Worth it where renewing one takes long and starting
   * one costs little. None where absent.
   */
  readonly ahead?: number;
  /** A client of one server, kept for as long as that is handed on: connecting takes longer than asking. */
  open(server: Server): Promise<Recycler>;
}

/** What {@link Recycling} does with one server. Contents are whatever {@link Recycler.read} makes of them. */
export interface Recycler {
  /** All that is in it; undefined when a client could not put just that, or not in good time, into another. */
  read(): Promise<unknown>;
  /**
   * Has it hold these contents, or nothing, whatever a lease has left in it.
   * @throws anything, when it isn't as good as a fresh one; it is ended then
   */
  renew(contents?: unknown): Promise<void>;
  close(): Promise<void>;
}

export type Troubles = { readonly [name in Trouble]?: (server: TroubledServer) => Promise<Heal> };

/** A server that is ours alone. */
export interface TroubledServer {
  /** With full rights; a restart may change it. */
  adminUrl(): string;
  readonly control: ServerControl;
}

type Distribute<T> = T extends unknown ? Omit<T, "provider" | "capabilities"> : never;
/** An offer before the provider has signed it. */
export type Found = Distribute<Offer> & {
  /** What a stand-in, or this machine, can't do of all that the engine can. */
  readonly lacks?: readonly Capability[];
};

/** How to run a real server on this machine. */
export interface ProcessRecipe {
  /**
   * How many private servers are started ahead, at most, for leases like the last two: worth it where a
   * server is small. None where absent.
   */
  readonly spares?: number;
  /** What it is made of, where that may have to be fetched: any one of them will do, the best first. */
  readonly bundles?: readonly Bundle[];
  /** Quick (some ms): looks, but fetches and starts nothing. */
  offer(env: NodeJS.ProcessEnv): Promise<Found>;
  /** Fetches and prepares what is needed; called once per run. */
  prepare(context: RunContext): Promise<PreparedServer>;
}

/** Everything it takes to start servers, any number of them. */
export interface PreparedServer {
  readonly source: string;
  /** Where the server itself tells none, or another than people know it by. */
  readonly version?: string;
  /** A data folder to start from; an empty one where absent. */
  readonly seed?: string;
  readonly stopSignal: NodeJS.Signals;
  /** Its server listens on every interface, whatever it is told: it gets a network of its own. */
  readonly ownNetwork?: true;
  /** It tells of itself as Prometheus asks it, over HTTP, at a port called `metrics`. */
  readonly metrics?: true;
  /** Writes the configuration into the data folder and says how to start on it. */
  launch(data: string, port: number, around: Surroundings): Promise<Omit<Launch, "log">>;
  /** Without {@link EngineDefinition.also}, which is added. */
  adminUrl(port: number): string;
}

/** What else a server that is launched must know. */
export interface Surroundings {
  /** All of its ports. */
  readonly ports: Ports;
  /** Where the server is that this one runs on ({@link EngineDefinition.runsOn}). */
  readonly base?: string;
}

/** What a container is made with, beside its image. */
export interface Contents {
  readonly env: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  /** Texts that it finds when it starts, by their paths. */
  readonly files?: Readonly<Record<string, string>>;
}

/** One container of a server. */
export interface MemberRecipe {
  /** The folder that holds all of its data; absent where it keeps none. */
  readonly data?: string;
  /** How long it may take until it answers; 30 where absent. */
  readonly startSeconds?: number;
  readonly stopSeconds: number;
  /**
   * It must reach servers on this machine's loopback, so that it is on this machine's network. There it
   * listens at a port of 127.0.0.1 that is chosen before it is made.
   */
  readonly hostNetwork?: true;
  /** What it may have of the machine's memory, and is ended for exceeding; as much as there is where absent. */
  readonly memoryBytes?: number;
}

/** How to run it in a container of its official image, or in a group of them. */
export interface ContainerRecipe extends MemberRecipe {
  readonly port: number;
  /**
   * @param published on 127.0.0.1, for servers that tell clients where to connect
   *   ({@link EngineDefinition.readdress}) or are on this machine's network; of all others the runtime
   *   chooses it later, and this is 0
   * @param base where the server is that this one runs on ({@link EngineDefinition.runsOn})
   */
  describe(context: RunContext, published: number, base?: string): Contents;
  adminUrl(context: RunContext, port: number): string;
  /** Instead of {@link EngineDefinition.ready}, for a server that must be told something before it is. */
  ready?(adminUrl: string): Promise<string>;
  /**
   * The rest of the group, in the order of start, each once the one before it serves. They share a
   * network that is this server's own, where each has its name for an address. What is described here,
   * alone published, has the engine's name and comes last: its probe speaks for all.
   */
  readonly companions?: readonly Companion[];
}

/** A container that a server takes beside its published one. */
export interface Companion extends MemberRecipe {
  readonly name: string;
  /** Pinned like the engine's own. */
  readonly image: string;
  describe(context: RunContext): Contents;
  /** What is run in it until it succeeds and says so: it serves. */
  readonly serves: { readonly command: readonly string[]; readonly says: RegExp };
}

/** A live server, whoever provides it. */
export interface Server {
  readonly provider: ProviderName;
  readonly source: string;
  readonly version: string;
  /** Nobody else's; faults may hit it. */
  readonly isolated: boolean;
  /** Straight to the server; its port may change with a restart. */
  readonly adminUrl: string;
  readonly control?: ServerControl;
  /** Where it tells of itself ({@link PreparedServer.metrics}). */
  readonly metricsUrl?: string | undefined;
  /**
   * Breaks all connections to it, and resolves when the server has read what came by them, and closed
   * them, too; absent where nobody can tell.
   * @throws Error when it doesn't in good time
   */
  readonly disconnect?: (() => Promise<void>) | undefined;
  /** Who connected to it; absent where nobody can tell. */
  readonly arrivals?: Arrivals;
  /** Stops it, copies its data folder, starts it again. @returns the copy */
  snapshot?(): Promise<string>;
  memory(): Promise<number | undefined>;
  log(lines: number): Promise<string>;
  end(): Promise<void>;
}

/** Deals out namespaces of one server. */
export interface Namespaces {
  /** Makes sure that the template exists, without taking a namespace. */
  prepare(template: LeaseTemplate): Promise<void>;
  /** Of a server for one lease: makes its namespace before anybody asks, for who comes without a template. */
  prepareEmpty?(): Promise<void>;
  /** @param name which it must have: its base's namespace's ({@link EngineDefinition.runsOn}) */
  take(template: LeaseTemplate | undefined, name?: string): Promise<Namespace>;
  /** Forgets every template and namespace. */
  reset(): Promise<void>;
  /** Removes what it made from a server that goes on living, and lets go of its connections. */
  close(): Promise<void>;
}

export interface Namespace {
  readonly name: string;
  readonly adminUrl: string;
  /** Straight to the server, with unprivileged credentials. */
  readonly url: string;
  /** Makes it anew, empty, on a server that has lost its data. */
  recreate(): Promise<void>;
  /** Gives it back; what takes long happens in the background. */
  release(): Promise<void>;
}
