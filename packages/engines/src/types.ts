/**
 * The vocabulary of this package. Two families of types, never mixed:
 * inert descriptions ({@link EngineDefinition}, {@link Fault}) that can be read, listed and compared,
 * and live handles ({@link RunningEngine}, {@link Lease}, {@link ActiveFault}) that hold something
 * real and are disposable. A definition has no port to ask for.
 */

import type { Utterance } from "./transcript.ts";
import type { Direction } from "./wire.ts";

/**
 * What an engine, as provided on this machine, can do. Data, not code: capabilities select the
 * conformance tests, and a check that needs one that is absent is *not graded*, never passed.
 *
 * - `transactions`: several statements commit or roll back as one.
 * - `durable`: what was acknowledged is still there after `kill` and `restart`.
 * - `network`: clients reach it over TCP, so that our proxy stands between.
 * - `kill`, `stop`, `pause`, `restart`, `restartEmpty`: the server fault of that name.
 * - `readonly`, `outOfMemory`, `diskFull`, `loading`, `restartStale`: likewise.
 * - `delay`, `partition`: the network faults (a partition is what `blackHole` and
 *   `resetConnections` make).
 * - `vector`: pgvector's types and indexes are in each namespace.
 * - `hypopg`: so is HypoPG, whose indexes exist for `EXPLAIN` alone.
 * - `cron`: so is pg_cron; its jobs run as the role that made them, which may be the submission's.
 * - `wal2json`: a submission may replicate, and have changes decoded by `wal2json` as by `pgoutput`.
 * - `hypertables`: TimescaleDB is in each namespace, at least the part under the Apache licence.
 * - `continuousAggregates`: so is the rest: these, compression, policies, gap filling.
 * - `gate`: our proxy understands its wire protocol, so that single messages can be held.
 */
export type Capability =
  | "transactions"
  | "durable"
  | "network"
  | "kill"
  | "stop"
  | "pause"
  | "restart"
  | "restartEmpty"
  | "restartStale"
  | "readonly"
  | "outOfMemory"
  | "diskFull"
  | "loading"
  | "delay"
  | "partition"
  | "vector"
  | "hypopg"
  | "cron"
  | "wal2json"
  | "hypertables"
  | "continuousAggregates"
  | "gate";

/**
 * Where a running engine comes from.
 *
 * - `external`: a URL that the user gave (`KATA_REDIS_URL=…`); we never stop or pause it.
 * - `container`: an official, pinned image through testcontainers.
 * - `process`: a real server on this machine, run as a process of ours.
 * - `library`: an engine that lives inside its client (SQLite).
 */
export type ProviderName = "external" | "container" | "process" | "library";

/** One node of the submission under test, as the proxy knows it: `"a"`, `"b"`, … */
export type NodeName = string;

/** What a caller asks of an engine. */
export interface EngineRequest {
  /**
   * `namespace`: a share of a server that lives as long as the run (a database of its own).
   * `instance`: a server of its own, which faults may hit without disturbing anybody.
   * Default `namespace`.
   */
  readonly isolation?: "namespace" | "instance";
  /**
   * Capabilities without which the engine is of no use to the caller. `diskFull` is to be had only
   * by asking for it here: such a server lives on a small disk of its own.
   */
  readonly needs?: readonly Capability[];
  /** Prepares the namespace once; every further lease with the same key is a clone of it. */
  readonly template?: LeaseTemplate;
}

/** A prepared namespace, kept by key for the length of the run. */
export interface LeaseTemplate {
  /** For example a hash of the submission's migrations. */
  readonly key: string;
  /**
   * Runs once per key (and server).
   * @param url where to build, with the submission's (unprivileged) credentials
   */
  build(url: string): Promise<void>;
}

/** Everything that a run of a grader, a test or an experiment asks engines from. */
export interface EngineRun extends AsyncDisposable {
  /** Unique among the runs on this machine. */
  readonly id: string;
  /** A folder of this run, removed with it. Others may list it, not write it. */
  readonly folder: string;
  /**
   * A lease on an engine, started if need be.
   * @throws EngineError `ENGINE_UNAVAILABLE` lists every provider, why it declined, and the command that would help
   */
  lease(engine: string, request?: EngineRequest): Promise<Lease>;
  /**
   * What providing that engine would take right now, without starting it. Takes ≤ 300 ms.
   */
  probe(engine: string, needs?: readonly Capability[]): Promise<ProbeResult>;
  /**
   * What running that engine as a process takes, and what of it is here; empty where nothing is ever
   * fetched.
   */
  packages(engine: string): Promise<readonly PackageState[]>;
  /**
   * Fetches one of them, whatever `KATA_INSTALL` says.
   * @param onBytes told a few times a second how much has arrived
   * @throws EngineError `FETCH_FAILED`
   */
  install(engine: string, name: string, onBytes: (bytes: number) => void): Promise<PackageState>;
  /**
   * Saves what was fetched for some engines as one file, which appears complete or not at all.
   * @param onBytes told again and again how much has been read
   * @throws EngineError `BUNDLE_INCOMPLETE`, `BUNDLE_EMPTY`
   */
  saveBundle(
    engines: readonly string[],
    file: string,
    onBytes: (bytes: number) => void,
  ): Promise<SavedBundle>;
  /**
   * Takes over what such a file holds and this machine lacks, one package after another.
   * @param onPackage told of each
   * @throws EngineError `BUNDLE_MISSING`, `BUNDLE_INVALID`, `BUNDLE_FOREIGN`, `BUNDLE_UNSAFE`
   */
  loadBundle(file: string, onPackage: (loaded: LoadedPackage) => void): Promise<void>;
  /**
   * Puts a process that the caller started under the run's watcher: it (and its whole process
   * group and descendants) is killed when the run ends, however it ends.
   */
  adopt(pid: number): Promise<void>;
  /** The caller has seen that process end. */
  disown(pid: number): void;
}

/** Something that an engine needs, as it is on this machine. */
export type PackageState = {
  readonly name: string;
  /** SPDX expression. */
  readonly licence: string;
} & (
  | { readonly state: "here"; readonly source: string }
  /** `bytes`: about how much would be downloaded. */
  | { readonly state: "absent"; readonly what: string; readonly bytes: number }
  | { readonly state: "unavailable"; readonly reason: string; readonly remedy: string }
);

/** A file with fetched packages, for machines of the same kind. */
export interface SavedBundle {
  readonly file: string;
  readonly bytes: number;
  /** Of the file, in hexadecimal. */
  readonly sha256: string;
  /** `bytes`: of their files, unpacked. */
  readonly packages: readonly {
    readonly key: string;
    readonly what: string;
    readonly bytes: number;
  }[];
  /** What nobody fetches, so that every machine needs one of its own. */
  readonly leftOut: readonly {
    readonly engine: string;
    readonly name: string;
    readonly source: string;
  }[];
}

/** What became of a package of a bundle. */
export interface LoadedPackage {
  readonly key: string;
  readonly what: string;
  /** `unknown`: this version of the engines has no use for it. */
  readonly state: "loaded" | "here" | "unknown";
}

/** What a provider says before anything is started. */
export type Offer =
  | {
      readonly provider: ProviderName;
      readonly offered: true;
      /** Effective capabilities: what the engine has ∩ what this provider can do. */
      readonly capabilities: readonly Capability[];
      /** For example `7.0.15`; undefined when only starting it would tell. */
      readonly version?: string;
      /** Where it comes from, for people: `redis-server on PATH (/usr/bin/redis-server)`. */
      readonly source: string;
      /** What it may have of the machine's memory, where that is limited: it is made for that much. */
      readonly memoryBytes?: number;
      /** Set when it has to be fetched first: what, and about how many bytes. */
      readonly fetch?: { readonly what: string; readonly bytes: number };
      /** About how many bytes of it an earlier run has fetched into our cache. */
      readonly cached?: number;
    }
  | {
      readonly provider: ProviderName;
      readonly offered: false;
      readonly reason: string;
      /** The command that would make this provider work. */
      readonly remedy?: string;
      /** It did not answer in time: with more patience it may be there. */
      readonly late?: true;
    };

export interface ProbeResult {
  readonly engine: string;
  /** In the order in which they were asked. */
  readonly offers: readonly Offer[];
  /** The offer that a lease would take; undefined when none fits. */
  readonly chosen?: Extract<Offer, { offered: true }>;
}

/** A live engine. */
export interface RunningEngine extends AsyncDisposable {
  readonly name: string;
  readonly provider: ProviderName;
  readonly version: string;
  /** For people: where this server comes from. A stand-in says so here. */
  readonly source: string;
  readonly capabilities: readonly Capability[];
  /** Full rights, straight to the server, for the grader only. Never handed to a submission. */
  readonly adminUrl: string;
  /** Back to the state right after start: no data, no leases, no faults. */
  reset(): Promise<void>;
  /** Resident memory of the server and its children in bytes; undefined where unknown. */
  memory(): Promise<number | undefined>;
  /** The last lines of the server's own log. */
  log(lines?: number): Promise<string>;
}

/** A share of an engine: a namespace of its own behind proxies of its own. */
export interface Lease extends AsyncDisposable {
  readonly engine: RunningEngine;
  /**
   * Name of the namespace: a database, a database number, a file. No other lease of the run has a
   * database of that name, on whichever server.
   */
  readonly namespace: string;
  /**
   * Of an engine that runs on another (Kafka Connect on Kafka): the lease on that one, with a
   * namespace of the same name. It ends with this one, and takes faults of its own.
   */
  readonly base?: Lease;
  /**
   * Full rights on this namespace, straight to the server, for the grader only. In PostgreSQL no
   * superuser's, which what a submission has put behind its tables would run with.
   */
  readonly adminUrl: string;
  /**
   * The address that one app node of a submission gets: unprivileged credentials, through a
   * proxy of that node's own, the same across restarts of the engine. An engine whose clients need
   * a second port has its number, through another proxy, in the query: `?grpc=50051`.
   */
  urlFor(node: NodeName): Promise<string>;
  /**
   * Makes a fault happen. Server faults need a lease with `isolation: "instance"`.
   * @throws EngineError `CAPABILITY_MISSING` when the engine, as provided, can't do it
   * @throws EngineError `FAULT_NEEDS_INSTANCE` for a server fault on a shared server
   */
  inject<Options>(fault: Fault<Options>, ...options: FaultArguments<Options>): Promise<ActiveFault>;
  /** Any of those that can do without options, for loops over faults of several kinds. */
  inject(fault: Fault): Promise<ActiveFault>;
  /**
   * The data of this lease's server as it is now, for `restartStale`. Everything stands still for
   * some milliseconds; connections live on. Needs a lease with `isolation: "instance"`.
   * @throws EngineError `CAPABILITY_MISSING`, `FAULT_NEEDS_INSTANCE`
   */
  snapshot(): Promise<Snapshot>;
  /** What went through the proxies of this lease so far, per node. */
  traffic(node: NodeName): ProxyTraffic;
  /**
   * Connections to this lease's server since it began that neither its proxies nor anything else in
   * this process made; undefined where the server does not tell (a container, a server by URL, a
   * library). A shared Redis does not tell whom they concern: they count for each of its leases.
   */
  detours(): Promise<number | undefined>;
  /**
   * Holds one message of an app node back until the gate is released or disposed, at the latest
   * with the lease. What follows on that connection in that direction waits behind it; other
   * connections go on. Only what arrives after this call is counted.
   * @throws EngineError `CAPABILITY_MISSING` when nobody here understands the engine's protocol
   */
  gate(options: GateOptions): Gate;
  /**
   * The last few hundred messages that went through this lease's proxies, the oldest first; empty
   * for an engine whose protocol nobody here understands.
   */
  transcript(node?: NodeName): readonly Utterance[];
}

/** Which message to hold. */
export interface GateOptions {
  /** Whose; any node's where absent. */
  readonly node?: NodeName;
  /** The request itself, or the reply to it. Default `request`. */
  readonly direction?: Direction;
  /**
   * What the request says, on one line, for instance `SET session:7 {"user":…} EX 60` or
   * `UPDATE t SET x = $1 WHERE id = $2 [42, alice]`: parameters of a prepared statement follow in
   * brackets. Values are cut, blanks are single, a closing semicolon is gone. A string is sought
   * as whole words, whatever their case. A reply that answers nothing (a notification, a published
   * message) is matched by what it says itself.
   */
  readonly match: string | RegExp;
  /** Which of those that match, counted from 1 over all connections. Default 1. */
  readonly nth?: number;
}

/** The message that a gate holds. */
export interface HeldMessage {
  readonly node: NodeName;
  /** The node's connections are counted from 1. */
  readonly connection: number;
  readonly direction: Direction;
  /** The request; of a reply, the request that it answers. */
  readonly text: string;
}

/** Holds one message at most. Disposing it releases it. */
export interface Gate extends Disposable {
  /**
   * Resolves when the message is held: its receiver has seen nothing of it, unless its first bytes
   * had passed when the gate was made.
   * @throws EngineError `GATE_NOT_REACHED` when the lease ends, or the gate is released, before
   */
  readonly held: Promise<HeldMessage>;
  /** Lets it go on. Twice is harmless; before it came, nothing will be held any more. */
  release(): void;
  /** The message is lost, and its connection broken with a TCP reset: an acknowledgement that never arrived. */
  drop(): void;
}

/** A copy of a server's data; it goes with its lease. */
export interface Snapshot {
  readonly takenAt: number;
}

/** Counted by a proxy since its lease began. */
export interface ProxyTraffic {
  /** TCP connections that a client opened. */
  readonly connections: number;
  /** Those of them that neither end has closed yet. Of all here the only one that also falls. */
  readonly open: number;
  /** Bytes from client to server. */
  readonly bytesUp: number;
  /** Bytes from server to client. */
  readonly bytesDown: number;
}

export type FaultArguments<Options> = Options extends undefined ? [] : [options: Options];

/** A fault as a description: what it is called and what it takes. One file each in `src/faults/`. */
export interface Fault<Options = undefined> {
  readonly name: string;
  readonly capability: Capability;
  /** `server` faults hit everybody who uses the server; `network` faults hit this lease only. */
  readonly scope: "server" | "network";
  /** For people: what one would see in production. */
  readonly summary: string;
  /** @returns how to heal it; healing a fault that has nothing to heal does nothing. */
  inject(target: FaultTarget, options: Options): Promise<Heal>;
}

/** Resolves when it is over and the engine answers as before. */
export type Heal = () => Promise<void>;

/** What only the engine itself can do to itself: its definition says how. */
export type Trouble = "readonly" | "outOfMemory" | "diskFull" | "loading";

/** What a fault gets hold of. */
export interface FaultTarget {
  /** Undefined for engines that are not ours to stop. */
  readonly server?: ServerControl;
  /** Makes a trouble of the engine's own. */
  readonly trouble?: (name: Trouble) => Promise<Heal>;
  readonly proxies: readonly ProxyControl[];
}

/** A start that is not meant to come to its end. */
export interface SpecialStart {
  /** Further arguments of the server, this time only. */
  readonly args: readonly string[];
  /** Whether that refusal is what was wanted: the start is over with it. */
  readonly until: (refusal: Error) => boolean;
}

/** The levers of a server that we run. */
export interface ServerControl {
  /** Who it consists of, where that is more than one: a group of containers, in the order of start. */
  readonly members?: readonly string[];
  /**
   * SIGKILL to the server and everything that it forked; resolves when all are gone.
   * @param member of them, that one alone; likewise below
   */
  kill(member?: string): Promise<void>;
  /** Asks it to shut down cleanly; resolves when it is gone. */
  stop(member?: string): Promise<void>;
  /** SIGSTOP (or the container's pause): connections stay open, nothing answers. */
  pause(member?: string): Promise<void>;
  resume(member?: string): Promise<void>;
  /**
   * Starts what is down of it on the same address with the data that it left; resolves when it
   * answers. When it runs already, waits for that alone.
   * @throws EngineError `DISK_FULL` when it finds no room to start
   */
  start(special?: SpecialStart): Promise<void>;
  /** Leaves an empty file where the server sees it under that path; only while it is up. */
  touch(path: string): Promise<void>;
  /** Deletes its data; only while it is down. A small disk is a new one then, with room. */
  wipe(): Promise<void>;
  /** Copies its data as a crash would leave them at this moment. */
  capture?(): Promise<Snapshot>;
  /** Puts a copy in place of its data, likewise. */
  restore?(snapshot: Snapshot): Promise<void>;
  /** Of a server whose lease asked for `diskFull`. */
  readonly disk?: DiskControl | undefined;
}

/** The levers of a server's small disk. */
export interface DiskControl {
  /** Leaves not a single free block. */
  fill(): Promise<void>;
  /** Makes room again. */
  free(): Promise<void>;
}

/** The levers of one proxy (one lease, one app node). Each returns how to let go of it again. */
export interface ProxyControl {
  readonly node: NodeName;
  /** Every byte takes longer, in both directions; order is kept. Several delays add up. */
  delay(delay: { readonly ms: number; readonly jitterMs?: number }): () => void;
  /**
   * Bytes are swallowed in both directions, new connections are accepted and never answered. When
   * the last hole is gone, connections that have lost bytes are reset; idle ones live on.
   */
  blackHole(): () => void;
  /** Ends every open connection with a TCP reset. */
  resetConnections(): void;
}

/** A fault that is happening now. Disposing it heals it. */
export interface ActiveFault extends AsyncDisposable {
  readonly name: string;
  readonly startedAt: number;
  /** Resolves when the engine answers again. Healing twice is harmless. */
  heal(): Promise<void>;
}
