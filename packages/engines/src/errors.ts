import { formatUtterance, type Utterance } from "./transcript.ts";
import type { Capability, Offer } from "./types.ts";
import type { Direction } from "./wire.ts";

/** Every way in which this package can fail. One registry, so that docs and tests can list it. */
export const errorCodes = [
  "ENGINE_UNKNOWN",
  "ENGINE_UNAVAILABLE",
  "CAPABILITY_MISSING",
  "FAULT_NEEDS_INSTANCE",
  "MEMBER_UNKNOWN",
  "GATE_NOT_REACHED",
  "SNAPSHOT_UNKNOWN",
  "START_FAILED",
  "PORT_TAKEN",
  "DISK_FULL",
  "CACHE_CORRUPT",
  "CACHE_UNREACHABLE",
  "FETCH_FAILED",
  "BUNDLE_INCOMPLETE",
  "BUNDLE_EMPTY",
  "BUNDLE_MISSING",
  "BUNDLE_INVALID",
  "BUNDLE_FOREIGN",
  "BUNDLE_UNSAFE",
  "CONTAINER_RUNTIME_FAILED",
  "NAMESPACES_EXHAUSTED",
  "SERVER_TAKEN",
  "SERVER_NOT_EMPTY",
  "SETTING_INVALID",
  "WATCHER_DIED",
  "RUN_ENDED",
] as const;

export type EngineErrorCode = (typeof errorCodes)[number];

export interface EngineErrorText {
  /** What happened, in one sentence without a full stop. */
  readonly happened: string;
  /** Further facts, a line each. */
  readonly details?: readonly string[];
  readonly likely?: string;
  /** What to do; a command where there is one. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** The one error class of this package: what happened, why probably, what to do. */
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  readonly remedy: string | undefined;

  constructor(code: EngineErrorCode, text: EngineErrorText) {
    const lines = [text.happened, ...(text.details ?? []).map((line) => `  ${line}`)];
    if (text.likely) lines.push(`Likely cause: ${text.likely}`);
    if (text.remedy) lines.push(`What to do: ${text.remedy}`);
    super(lines.join("\n"), text.cause === undefined ? undefined : { cause: text.cause });
    this.name = "EngineError";
    this.code = code;
    this.remedy = text.remedy;
  }
}

/** What a capability takes that a machine may not have, for people. */
export const requirements: { readonly [capability in Capability]?: string } = {
  diskFull:
    "it takes Linux with util-linux, and the right to mount a small file system in a namespace: root, or user namespaces",
};

export const clearCacheCommand = "pnpm kata doctor --clear-cache";

export function engineUnknown(name: string, known: readonly string[]): EngineError {
  return new EngineError("ENGINE_UNKNOWN", {
    happened: `There is no engine called "${name}"`,
    remedy: `use one of: ${known.join(", ")}`,
  });
}

/** Fetches what an engine needs, whatever `KATA_INSTALL` says. */
export function installCommand(engine: string): string {
  return `pnpm kata engines install ${engine}`;
}

/** Lists every provider and why it declined; what declined for lack of a capability says which. */
export function engineUnavailable(
  engine: string,
  needs: readonly Capability[],
  offers: readonly Offer[],
): EngineError {
  const wanted = needs.length > 0 ? ` with ${needs.join(", ")}` : "";
  const details = offers.flatMap((offer) => {
    if (offer.offered) {
      const lacking = needs.filter((need) => !offer.capabilities.includes(need));
      const why = lacking.flatMap((each) => requirements[each] ?? []).map((each) => ` (${each})`);
      return [`${offer.provider}: can't do ${lacking.join(", ")}${why.join("")}`];
    }
    return [`${offer.provider}: ${offer.reason}`, ...(offer.remedy ? [`  → ${offer.remedy}`] : [])];
  });
  const remedies = offers.flatMap((offer) =>
    !offer.offered && offer.remedy ? [offer.remedy] : [],
  );
  return new EngineError("ENGINE_UNAVAILABLE", {
    happened: `No provider on this machine can run ${engine}${wanted}`,
    details,
    ...(remedies[0]
      ? { remedy: `any one of the commands above; the shortest way is often\n  ${remedies.at(-1)}` }
      : {}),
  });
}

export function capabilityMissing(
  engine: string,
  provider: string,
  fault: string,
  capability: Capability,
): EngineError {
  return new EngineError("CAPABILITY_MISSING", {
    happened: `${engine}, as provided here (${provider}), can't do "${fault}": it lacks the capability ${capability}`,
    remedy: `ask for it when leasing, lease("${engine}", { needs: ["${capability}"] }), so that another provider is chosen or the check is not graded`,
  });
}

export function faultNeedsInstance(engine: string, fault: string): EngineError {
  return new EngineError("FAULT_NEEDS_INSTANCE", {
    happened: `"${fault}" would hit every lease on this shared ${engine} server`,
    remedy: `lease a server of its own: lease("${engine}", { isolation: "instance" })`,
  });
}

/**
 * @param server one of the user's own, which can't be divided
 * @param holder who has it
 */
export function serverTaken(server: string, holder: string): EngineError {
  return new EngineError("SERVER_TAKEN", {
    happened: `${server} has one database and no more, and ${holder} has it`,
    remedy:
      "wait until that is over; or unset the variable, so that each lease gets a server of ours",
  });
}

/** @param server one of the user's own, which can't be divided */
export function serverNotEmpty(server: string): EngineError {
  return new EngineError("SERVER_NOT_EMPTY", {
    happened: `${server} has one database and no more, and there is something in it: it is left alone`,
    likely: "data of yours; or a run that was killed has left its own",
    remedy: "empty it, if nobody needs what is in it; or name a server that is empty",
  });
}

/** @param members that it has; none where it is one process or container */
export function memberUnknown(
  engine: string,
  source: string,
  member: string,
  members: readonly string[],
): EngineError {
  const [named, remedy] =
    members.length > 0
      ? [`has no member called "${member}"`, `use one of: ${members.join(", ")}`]
      : [
          `has no members, and so no "${member}"`,
          "leave `member` away: the fault then hits all of it",
        ];
  return new EngineError("MEMBER_UNKNOWN", {
    happened: `${engine}, as it runs here, ${named}`,
    details: [source],
    likely: "the same engine is one server here, and a group of containers elsewhere; or a typo",
    remedy,
  });
}

export function smallDiskNotAsked(engine: string, fault: string): EngineError {
  return new EngineError("CAPABILITY_MISSING", {
    happened: `This ${engine} server has no disk that "${fault}" could fill`,
    likely: "its lease did not ask for one",
    remedy: `ask when leasing: lease("${engine}", { isolation: "instance", needs: ["diskFull"] })`,
  });
}

/** @param output of the programs that should have made it */
export function smallDiskRefused(output: string): EngineError {
  return new EngineError("CAPABILITY_MISSING", {
    happened: "This machine refuses a server the small disk that diskFull takes",
    details: output.split("\n").map((line) => `| ${line}`),
    likely: "a sandbox or a security module that lets only some of it pass",
    remedy:
      "see what is in the way: unshare --user --map-root-user --mount mount -t tmpfs disk /mnt; or run it as root",
  });
}

/** @param output of the programs that should have made it */
export function ownNetworkRefused(engine: string, output: string): EngineError {
  return new EngineError("START_FAILED", {
    happened: `This machine refuses ${engine} a network of its own, without which it would listen on every interface`,
    details: output.split("\n").map((line) => `| ${line}`),
    likely: "a sandbox or a security module that lets only some of it pass",
    remedy:
      "see what is in the way: unshare --user --map-root-user --net ip link set lo up; or run it as root",
  });
}

/** A server that has no room to start on its small disk. */
export function startedOnFullDisk(engine: string, log: string): EngineError {
  return new EngineError("DISK_FULL", {
    happened: `${engine} did not start: its small disk is full`,
    details: lastWords(log),
    likely: "the fault diskFull has not been healed yet",
    remedy: "heal it first: that starts the server, too",
  });
}

export function snapshotUnknown(engine: string): EngineError {
  return new EngineError("SNAPSHOT_UNKNOWN", {
    happened: `That snapshot is none of this ${engine} server's`,
    likely: "it was taken from another lease",
    remedy: "take it from the lease that the fault is injected into: await lease.snapshot()",
  });
}

export function gateNotReached(gate: {
  readonly node: string | undefined;
  readonly direction: Direction;
  readonly match: string;
  readonly nth: number;
  readonly seen: number;
  readonly why: string;
  readonly heard: readonly Utterance[];
}): EngineError {
  const { node, direction, match, nth, seen, why, heard } = gate;
  const of = node === undefined ? "any node" : `node ${node}`;
  const last = heard.slice(-8).map((utterance) => `| ${formatUtterance(utterance)}`);
  return new EngineError("GATE_NOT_REACHED", {
    happened: `The gate held nothing: ${why}. It waited for ${direction} number ${nth} of ${of} that matches ${match}, and ${seen} came`,
    details: last.length > 0 ? ["what was said, the last of it:", ...last] : ["nothing was said"],
    likely:
      "the submission does it in other words, on another connection of another node, or not at all",
    remedy:
      "look at lease.transcript(); in a check, race gate.held against the call that should get there",
  });
}

export function timeZonesMissing(folder: string): EngineError {
  return new EngineError("START_FAILED", {
    happened: `Debian's PostgreSQL takes its time zones from ${folder}, and that is not there`,
    likely: "a very small container image",
    remedy: "sudo apt-get install tzdata",
  });
}

/** Reads the server's last words and picks the code that tells most. */
export function startFailed(
  engine: string,
  source: string,
  reason: string,
  log: string,
): EngineError {
  const details = [source, ...lastWords(log)];
  if (/No space left on device|disk is full/i.test(log)) {
    return new EngineError("DISK_FULL", {
      happened: `${engine} did not start: the disk is full`,
      details,
      remedy: "free some space where runs live, or point KATA_RUNS at a folder with more",
    });
  }
  if (portTaken(log)) {
    return new EngineError("PORT_TAKEN", {
      happened: `${engine} did not start: other processes took every port that it tried`,
      details,
      likely: "something on this machine opens many ports at once",
      remedy: "run it again; `ss -ltnp` shows who listens",
    });
  }
  // initdb looks its user up by number; `docker run --user 1234` gives one without an entry.
  if (/could not look up effective user ID/.test(log)) {
    return new EngineError("START_FAILED", {
      happened: `${engine} did not start: the user that it runs as has no name on this machine`,
      details,
      likely: "a container that was started with a user number of no entry in /etc/passwd",
      remedy:
        "run as a user with an entry (`docker run --user node …`), or as root: servers run as nobody then",
    });
  }
  return new EngineError("START_FAILED", {
    happened: `${engine} did not start: ${reason}`,
    details,
    likely:
      "the log above says; a damaged cache is the usual culprit when nothing else has changed",
    remedy: clearCacheCommand,
  });
}

function lastWords(log: string): string[] {
  return log
    .trim()
    .split("\n")
    .slice(-12)
    .map((line) => `| ${line}`);
}

export function portTaken(log: string): boolean {
  return /Address already in use|Address \S+ is not available|could not bind|bind: Address/i.test(
    log,
  );
}

export function cacheCorrupt(folder: string, what: string, cause?: unknown): EngineError {
  return new EngineError("CACHE_CORRUPT", {
    happened: `The cache at ${folder} is damaged: ${what}`,
    likely: "something removed or changed files in it",
    remedy: clearCacheCommand,
    cause,
  });
}

export function cacheFull(folder: string): EngineError {
  return new EngineError("DISK_FULL", {
    happened: `There is no room for it in the cache at ${folder}`,
    remedy: "free some space there, or point KATA_CACHE at a folder with more",
  });
}

/** @param command goes on where it stopped */
export function fetchFailed(
  what: string,
  how: string,
  output: string,
  command?: string,
): EngineError {
  return new EngineError("FETCH_FAILED", {
    happened: `Could not fetch ${what} (${how})`,
    details: output
      .trim()
      .split("\n")
      .slice(-6)
      .map((line) => `| ${line}`),
    likely: "no network, or a registry that this machine can't reach",
    remedy: command
      ? `${command}\n  goes on where this stopped, once the network is back; KATA_INSTALL=never skips fetching`
      : "install it yourself (`pnpm kata doctor` tells how), or set KATA_INSTALL=never to skip fetching",
  });
}

/** @param passOver whether some are here as programs of the machine's own */
export function bundleIncomplete(
  absent: readonly { readonly engine: string; readonly why: string }[],
  passOver: boolean,
): EngineError {
  const engines = [...new Set(absent.map(({ engine }) => engine))].join(" ");
  return new EngineError("BUNDLE_INCOMPLETE", {
    happened: "The cache does not hold all that the bundle should",
    details: absent.map(({ engine, why }) => `${engine}: ${why}`),
    remedy: `${passOver ? "KATA_PATH=never " : ""}${installCommand(engines)}`,
  });
}

export function bundleEmpty(engines: readonly string[]): EngineError {
  return new EngineError("BUNDLE_EMPTY", {
    happened: `There is nothing to bundle: nothing is ever fetched for ${engines.join(", ")}`,
    likely: "they come with the npm packages, or are the machine's own",
  });
}

export function bundleMissing(file: string): EngineError {
  return new EngineError("BUNDLE_MISSING", {
    happened: `There is no file ${file}`,
    likely: "a misspelt name, or another folder than this one",
    remedy: "pnpm kata engines load <file or http address>",
  });
}

export function bundleInvalid(file: string, what: string, cause?: unknown): EngineError {
  return new EngineError("BUNDLE_INVALID", {
    happened: `${file} is not a whole bundle: ${what}`,
    likely: "it was cut off or altered on its way, or is another kind of file",
    remedy: "get it again: pnpm kata engines load <file or http address>",
    cause,
  });
}

/** @param output of a program that should have run */
export function bundleForeign(file: string, why: string, output?: string): EngineError {
  return new EngineError("BUNDLE_FOREIGN", {
    happened: `${file} is of no use on this machine: ${why}`,
    ...(output ? { details: lastWords(output) } : {}),
    likely: "it was made on another kind of machine, or by another version of db-katas",
    remedy: "make one on a machine like this one: pnpm kata engines bundle <file>",
  });
}

export function bundleUnsafe(file: string, what: string): EngineError {
  return new EngineError("BUNDLE_UNSAFE", {
    happened: `${file} was refused: ${what}`,
    likely: "it was not made by `kata engines bundle`; nothing of that package was kept",
    remedy: "use a bundle from somebody whom you trust: what is in it is run as programs",
  });
}

export function imageMissing(image: string, variable: string, output: string): EngineError {
  return new EngineError("FETCH_FAILED", {
    happened: `The image ${image} is not on this machine, and could not be fetched`,
    details: [`| ${output.trim()}`],
    likely: "no network, a registry that this machine can't reach, or a misspelt name",
    remedy: `docker pull ${image}, or name one that is here, ${variable}=…, or set KATA_ENGINES=process`,
  });
}

export function watcherDied(detail: string): EngineError {
  return new EngineError("WATCHER_DIED", {
    happened: `The process that watches over this run's servers has ended (${detail}); they were stopped`,
    likely: "somebody killed it, or the machine ran out of memory",
    remedy: "run it again",
  });
}

export function containerRuntimeFailed(what: string, cause: unknown): EngineError {
  return new EngineError("CONTAINER_RUNTIME_FAILED", {
    happened: `The container runtime could not ${what}: ${cause instanceof Error ? cause.message : String(cause)}`,
    likely: "it has been stopped, or it has no space or memory left",
    remedy: "look at `docker info`, or set KATA_ENGINES=process",
    cause,
  });
}

export function runEnded(): EngineError {
  return new EngineError("RUN_ENDED", {
    happened: "This run has ended; its engines are gone",
    remedy: "lease before disposing the run, or open a new one with openEngines()",
  });
}
