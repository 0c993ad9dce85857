/**
 * What an engine needs in order to run as a process, as descriptions: reading them looks at nothing
 * and fetches nothing. `kata engines install`, `status`, `doctor` and every lease go by them.
 */
import type { Capability } from "../types.ts";

/** Packages that together make one server; the server itself is the last. */
export interface Bundle {
  readonly packages: readonly Package[];
  /** Of a stand-in: in what it differs from the engine, for people. */
  readonly standIn?: string;
  /** What a stand-in can't do of all that the engine can. */
  readonly lacks?: readonly Capability[];
}

/** One thing that is either on this machine or can be fetched into our cache. */
export interface Package {
  /** How it is called on the command line. */
  readonly name: string;
  /** SPDX expression. */
  readonly licence: string;
  /** A copy that the machine may have anyway; it always comes first. */
  readonly own?: OwnCopy;
  /** The ways to fetch it, the best first. */
  readonly ways: readonly Way[];
  /** How people install it themselves. */
  hint(): string;
}

export interface OwnCopy {
  /** Looked for on `PATH`. */
  readonly program: string;
  /** Environment variable that names another one. */
  readonly variable?: string;
  /** Where it is besides, as systems have it that keep several versions. Some ms. */
  places?(): readonly string[];
  /** Whether this one is good enough; any is, where absent. Some ms. */
  accepts?(file: string): boolean;
  /** What {@link accepts} wants: `17 or newer`. */
  readonly wanted?: string;
}

interface FetchedBy {
  /** Its folder in the cache; another version has another name. */
  readonly key: string;
  /** For people: `Debian's redis-server package`. */
  readonly what: string;
  /** About how much is downloaded; exactly is known only once the package client has been asked. */
  readonly bytes: number;
  /** For people, once it is there: where it comes from. A stand-in says so here. */
  readonly source: string;
  /** Where it can be known before the server is asked. */
  readonly version?: string;
  /** What one wants of the package, within its folder. */
  readonly file: string;
  /** Arguments with which {@link file} must run to its end, or the package is of no use here. */
  readonly proof?: readonly string[];
}

/** Packages of the distribution, unpacked without root; apt checks them against its signed lists. */
export interface AptWay extends FetchedBy {
  readonly client: "apt";
  readonly packages: readonly string[];
  /** The one release of Debian that has them (`VERSION_ID` in os-release); any, where absent. */
  readonly release?: string;
  /** Names of what they depend on, and can do without. */
  readonly without?: RegExp;
}

/** Wheels; every file's hash is in a requirements file. */
export interface PipWay extends FetchedBy {
  readonly client: "pip";
  /** Path of the requirements file. */
  readonly requirements: string;
}

/** Jars, into the folder `jars`; Maven checks them against the repository's checksums. */
export interface MavenWay extends FetchedBy {
  readonly client: "maven";
  /** Path of a pom whose dependencies are what is wanted. */
  readonly pom: string;
}

/** A program built from a Go module, which Go checks against its checksum database. */
export interface GoWay extends FetchedBy {
  readonly client: "go";
  /** For example `example.org/server/cmd/serverd@v1.2.3`. */
  readonly module: string;
  /** About how much the compiler makes of it, on its way to the program. */
  readonly compiledBytes: number;
}

export type Way = AptWay | PipWay | MavenWay | GoWay;

/** A package that is here. */
export interface Located {
  /** The program, or the file that one wants of it. */
  readonly file: string;
  readonly source: string;
  readonly version?: string;
  /** Its folder in our cache; absent for the machine's own copy. */
  readonly folder?: string;
}
