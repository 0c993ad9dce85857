import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import tar from "tar-stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openBundle } from "../src/submit/bundle.ts";
import { ENVIRONMENT, MAIN, type Ran, runKata } from "./run-kata.ts";

const COUNTER = join(import.meta.dirname, "..", "..", "grading", "test", "fixtures", "counter");

let root: string;
let mine: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "kata-submit-"));
  mine = join(root, "attempts", "counter");
  await mkdir(join(root, "projects"));
  await mkdir(mine, { recursive: true });
  await writeFile(join(root, "pnpm-workspace.yaml"), 'packages: ["projects/*"]\n');
  await symlink(COUNTER, join(root, "projects", "counter"));
  await cp(join(COUNTER, "src"), join(mine, "src"), { recursive: true });
  await cp(join(COUNTER, "contract.ts"), join(mine, "contract.ts"));
});
afterEach(() => rm(root, { recursive: true, maxRetries: 3 }));

function kata(...args: string[]): Promise<Ran> {
  return runKata(args, { cwd: root, env: { ...ENVIRONMENT, KATA_SEED: "" }, masked });
}

function masked(text: string): string {
  return text
    .replaceAll(root, "<root>")
    .replaceAll(/ *\d+\.\d s\b/g, " <t> s")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
    .replaceAll(/\b[0-9a-f]{64}\b/g, "<sha256>")
    .replaceAll(/\d+(?:\.\d+)? k?B\b/g, "<size>");
}

type Entry = Pick<tar.Header, "name"> & Partial<tar.Header>;

/** A bundle made by hand. */
async function pack(entries: readonly (Entry & { text?: string })[]): Promise<Buffer> {
  const archive = tar.pack();
  for (const { text, ...header } of entries) archive.entry(header, text ?? "");
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return gzipSync(Buffer.concat(chunks));
}

/** What a bundle holds, each changed or left out by somebody. */
async function repack(file: string, change: (name: string, text: string) => string | undefined) {
  const extract = tar.extract();
  extract.end(gunzipSync(await readFile(file)));
  const entries: (Entry & { text: string })[] = [];
  for await (const entry of extract) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    const { name } = entry.header;
    const text = change(name, Buffer.concat(chunks).toString());
    if (text !== undefined) entries.push({ name, text });
  }
  await writeFile(file, await pack(entries));
}

describe("kata submit --bundle", () => {
  it("grades, says what is in the file, and makes the same bytes of the same code", async () => {
    const first = await kata("submit", "counter", "--bundle", "a.tar.gz", "--seed", "7");
    expect(first.stderr).toBe("");
    expect(first.code).toBe(0);
    expect(first.stdout).toMatchSnapshot();
    const again = await kata("submit", "counter", "--bundle", "b.tar.gz");
    expect(again.stdout).toMatchSnapshot();
    expect(await readFile(join(root, "a.tar.gz"))).toEqual(await readFile(join(root, "b.tar.gz")));
    const { manifest, claimed, altered } = await openBundle(join(root, "a.tar.gz"));
    expect(manifest).toMatchObject({
      kata: "counter",
      seed: 7,
      environment: { node: process.version },
    });
    expect(manifest.code.map(({ path }) => path)).toEqual(["contract.ts", "src/index.ts"]);
    expect(claimed.points).toEqual({ earned: 3, possible: 3, total: 3 });
    expect(altered).toEqual([]);
  });

  it("grades anew what has changed, and leaves out what is hidden or fetched", async () => {
    await kata("submit", "counter");
    await cp(join(COUNTER, "mutants", "forgets", "index.ts"), join(mine, "src", "index.ts"));
    await writeFile(join(mine, ".env"), "SECRET=1");
    await mkdir(join(mine, "node_modules"));
    await writeFile(join(mine, "node_modules", "x.js"), "");
    const { code, stdout } = await kata("submit", "counter", "--json", "--author", "Ada");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ isFresh: true, files: 2, points: { earned: 0 } });
  });

  it("refuses links, and what is too large", async () => {
    await symlink("/etc/passwd", join(mine, "src", "notes.txt"));
    const link = await kata("submit", "counter");
    expect([link.code, link.stderr]).toMatchSnapshot();
    await rm(join(mine, "src", "notes.txt"));
    await writeFile(join(mine, "src", "dump.json"), "x".repeat((1 << 20) + 1));
    expect((await kata("submit", "counter")).stderr).toMatchSnapshot();
  });
});

describe("kata grade --bundle", () => {
  it("measures many, and says who should be looked at", async () => {
    await kata("submit", "counter", "--bundle", "ada.tar.gz", "--author", "=Ada");
    await kata("submit", "counter", "--bundle", "bob.kata.tar.gz");
    const bob = join(root, "bob.kata.tar.gz");
    const wrong = await readFile(join(COUNTER, "mutants", "forgets", "index.ts"), "utf8");
    await repack(bob, (name, text) => (name === "code/src/index.ts" ? wrong : text));
    await writeFile(join(root, "eve.tar.gz"), "no archive");
    const files = ["ada.tar.gz", "bob.kata.tar.gz", "eve.tar.gz"];
    const ran = await kata("grade", "--bundle", ...files, "--seed", "5", "--csv", "sum.csv");
    expect(ran.stderr).toBe("");
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatchSnapshot();
    const csv = await readFile(join(root, "sum.csv"), "utf8");
    expect(csv.replaceAll(/,\d+\.\d+,/g, ",<t>,")).toMatchSnapshot();
  }, 120_000);

  it("goes on where it was ended, with the same seed", async () => {
    await kata("submit", "counter", "--bundle", "quick.tar.gz");
    await cp(join(COUNTER, "broken", "loops", "index.ts"), join(mine, "src", "index.ts"));
    await kata("submit", "counter", "--bundle", "slow.tar.gz");
    const args = [MAIN, "grade", "--bundle", "quick.tar.gz", "slow.tar.gz"];
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, NO_COLOR: "1", TURBO_HASH: "" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const closed = new Promise((resolve) => child.once("close", resolve));
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      said += text;
    });
    let shown = "";
    // Not `for await`: to leave it closes the pipe, and the next line that kata writes ends it.
    const first = new Promise<void>((resolve) => {
      child.stdout.setEncoding("utf8").on("data", (text) => {
        shown += text;
        if (shown.includes("3 of 3")) resolve();
      });
    });
    await Promise.race([first, closed]);
    const seed = /seed (\d+)/.exec(shown)?.[1];
    child.kill("SIGINT");
    expect(await closed).toBe(130);
    expect(said).toContain("1 of 2 are graded and kept: the same command goes on from there.");
    const journal = await readFile(join(root, ".kata", "bundles.jsonl"), "utf8");
    expect(journal.split("\n")).toHaveLength(2);
    const ran = await kata("grade", "--bundle", "quick.tar.gz", "slow.tar.gz", "--json");
    expect(JSON.parse(ran.stdout)).toMatchObject({ seed: Number(seed), results: [{}, {}] });
    await expect(readFile(join(root, ".kata", "bundles.jsonl"))).rejects.toThrow("ENOENT");
  }, 120_000);

  const file = { name: "code/src/index.ts", text: "" };
  const hostile: [string, (Entry & { text?: string })[]][] = [
    ["a path that leads out", [{ name: "code/../../out.ts", text: "" }]],
    ["an absolute path", [{ name: "/tmp/out.ts", text: "" }]],
    ["a path of another system", [{ name: "code\\..\\..\\out.ts", text: "" }]],
    ["a symbolic link", [{ name: "code/link", type: "symlink", linkname: "/etc/passwd" }]],
    ["a hard link", [{ name: "code/link", type: "link", linkname: "/etc/passwd" }]],
    ["a device", [{ name: "code/null", type: "character-device" }]],
    ["a huge file", [{ name: "code/big", text: "0".repeat((8 << 20) + 1) }]],
    [
      "a bomb",
      Array.from({ length: 3 }, (_, i) => ({ name: `code/${i}`, text: "0".repeat(8 << 20) })),
    ],
    ["too many files", Array.from({ length: 503 }, (_, i) => ({ name: `code/${i}`, text: "" }))],
    ["a file twice", [file, { name: "code/SRC/index.ts", text: "" }]],
    ["a file in place of a folder", [file, { name: "code/src", text: "" }]],
    ["no manifest", [file]],
  ];
  it.each(hostile)("refuses %s", async (_, entries) => {
    const path = join(root, "evil.tar.gz");
    await writeFile(path, await pack(entries));
    await expect(openBundle(path)).rejects.toThrowErrorMatchingSnapshot();
  });

  it("refuses a header that would take all memory, zeros without end, and half a file", async () => {
    const path = join(root, "evil.tar.gz");
    await writeFile(
      path,
      await pack([{ name: "x", pax: { comment: "0".repeat(64 << 20) }, text: "" }]),
    );
    await expect(openBundle(path)).rejects.toThrow(/Header exceeds max size/);
    await writeFile(path, gzipSync(Buffer.alloc(64 << 20)));
    await expect(openBundle(path)).rejects.toThrow(/it unpacks to more than/);
    await kata("submit", "counter", "--bundle", path);
    await writeFile(path, (await readFile(path)).subarray(0, 400));
    await expect(openBundle(path)).rejects.toThrow(/it can't be read/);
  });
});

describe("kata diff", () => {
  it("is refused until all checks have been run", async () => {
    await cp(join(COUNTER, "mutants", "forgets", "index.ts"), join(mine, "src", "index.ts"));
    await kata("grade", "counter", "--check", "adds");
    expect((await kata("diff", "counter")).stderr).toMatchSnapshot();
    const spoilt = await kata("diff", "counter", "--spoil");
    expect(spoilt.stdout).toContain("+++ reference/index.ts");
    await kata("grade", "counter");
    const allowed = await kata("diff", "counter");
    expect(allowed.stdout).toBe(spoilt.stdout);
    expect(allowed.stdout).toMatchSnapshot();
  });

  it("shows one file, a variant, a page, JSON", async () => {
    await writeFile(join(mine, "src", "extra.ts"), "export const one = 1;\n");
    const one = await kata("diff", "counter", "--spoil", "--file", "src/extra.ts");
    expect(one.stdout).toMatchSnapshot();
    const variant = await kata("diff", "counter", "--spoil", "--variant", "other", "--json");
    const { differences } = JSON.parse(variant.stdout) as { differences: { file: string }[] };
    expect(differences.map(({ file }) => file)).toEqual(["index.ts", "extra.ts", "variant.json"]);
    await kata("diff", "counter", "--spoil", "--html", "page.html");
    const page = await readFile(join(root, "page.html"), "utf8");
    expect(page).toContain("d2h-file-side-diff");
    expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);
    expect(
      (await kata("diff", "counter", "--variant", "nope", "--spoil")).stderr,
    ).toMatchSnapshot();
  });
});

it.each(["submit", "diff"])("kata %s --help", async (command) => {
  expect((await kata(command, "--help")).stdout).toMatchSnapshot();
});
