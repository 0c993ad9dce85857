import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { processRef } from "@db-katas/engines";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { words } from "../src/shell/repl.ts";
import { ENVIRONMENT, MAIN, runKata } from "./run-kata.ts";

const FIXTURES = join(import.meta.dirname, "..", "..", "grading", "test", "fixtures");

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "kata-looking-"));
  await mkdir(join(root, "projects"));
  await writeFile(join(root, "pnpm-workspace.yaml"), 'packages: ["projects/*"]\n');
  for (const name of ["counter", "roles"]) {
    await symlink(join(FIXTURES, name), join(root, "projects", name));
  }
});
afterAll(() => rm(root, { recursive: true }));

function kata(args: readonly string[], more: NodeJS.ProcessEnv = {}) {
  return runKata(args, { cwd: root, env: { ...ENVIRONMENT, ...more } });
}

/** Starts the command and waits until it has said so. */
async function started(args: readonly string[], said: RegExp) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: root,
    env: ENVIRONMENT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
  const text = await saying(child, said);
  return { child, closed, text };
}

function saying(child: ChildProcess, said: RegExp): Promise<string> {
  let text = "";
  return new Promise((resolve, reject) => {
    child.stdout?.setEncoding("utf8").on("data", (more: string) => {
      text += more;
      if (said.test(text)) resolve(text);
    });
    child.once("close", () => reject(new Error(`It ended without saying ${said}:\n${text}`)));
  });
}

describe("kata grade --times", () => {
  it("says how surely a failure comes back, and in which ways", async () => {
    const args = ["grade", "counter", "--mutant", "forgets", "--check", "adds", "--seed", "7"];
    const ran = await kata([...args, "--times", "3"]);
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatchInlineSnapshot(`
      "counter · mutant forgets · adds, 3 times with seed 7
        ✗✗✗

        did not pass 3 of 3
          3 × failed: and 1 more makes 8
              expected  8
              received  6
      "
    `);
  });

  it("has nothing to say of a check that passes", async () => {
    const args = ["grade", "counter", "--reference", "--check", "starts-anywhere", "--times", "2"];
    const ran = await kata(args);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain("passed 2 of 2");
  });

  it("needs to know the check", async () => {
    const ran = await kata(["grade", "counter", "--reference", "--times", "2"]);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatchInlineSnapshot(`
      "CHECK_UNCLEAR  --times repeats one check, and needs to know which.
      What to do: pnpm kata grade counter --reference --check <id> --times 2
      "
    `);
  });
});

describe("kata grade --keep", () => {
  it("leaves a failed check as it is, until Ctrl-C ends it and all that it kept", async () => {
    const { child, closed, text } = await started(
      ["grade", "counter", "--mutant", "forgets", "--seed", "7", "--keep"],
      /Ctrl-C here/,
    );
    const kept = text.slice(text.indexOf("Kept as"));
    expect(kept.replaceAll(/pid \d+/g, "pid <n>")).toMatchInlineSnapshot(`
      "Kept as adds left it.
        still running: node a (pid <n>)
      Ctrl-C here ends it all, and nothing is left behind.
      "
    `);
    const node = Number(/pid (\d+)/.exec(kept)?.[1]);
    expect(processRef(node)).toBeDefined();
    const note = join(root, ".kata", "kept.json");
    expect(JSON.parse(await readFile(note, "utf8"))).toMatchObject({
      kata: "counter",
      check: "adds",
    });
    child.kill("SIGINT");
    expect(await closed).toBe(130);
    expect(processRef(node)).toBeUndefined();
    expect(existsSync(note)).toBe(false);
  });

  it("keeps nothing of what passes", async () => {
    expect((await kata(["grade", "counter", "--reference", "--keep"])).code).toBe(0);
  });
});

describe("kata grade --inspect", () => {
  it("lets no code of the submission run before the debugger says so, on loopback", async () => {
    const { child, closed, text } = await started(
      ["grade", "counter", "--reference", "--inspect", "adds"],
      /ws=\S+\s/,
    );
    const url = `ws://${/ws=(\S+)/.exec(text)?.[1]}`;
    expect(new URL(url).hostname).toBe("127.0.0.1");
    expect(text).toContain("node inspect 127.0.0.1:");
    expect(child.exitCode).toBeNull();
    const debug = new WebSocket(url);
    await new Promise((resolve) => debug.addEventListener("open", resolve, { once: true }));
    debug.send(JSON.stringify({ id: 1, method: "Runtime.runIfWaitingForDebugger" }));
    expect(await closed).toBe(0);
  });

  it("needs to know the check", async () => {
    const ran = await kata(["grade", "counter", "--reference", "--inspect"]);
    expect(ran.stderr).toMatchInlineSnapshot(`
      "CHECK_UNCLEAR  --inspect doesn't say which check to look at.
      What to do: add --check <id>; pnpm kata grade names the ids
      "
    `);
  });
});

describe("kata shell", () => {
  it("runs statements on a fresh engine, and tells its failure", async () => {
    const ran = await kata(["shell", "sqlite", "-c", "SELECT 40 + 2 AS answer"]);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain("42");
    expect((await kata(["shell", "sqlite", "-c", "SELEKT"])).code).not.toBe(0);
  });

  it("has a prompt of its own where the engine's client is not installed", async () => {
    const bare = { PATH: dirname(process.execPath) };
    const ran = await kata(["shell", "sqlite", "-c", "SELECT 40 + 2 AS answer"], bare);
    expect(ran.stdout).toBe("[ { answer: 42 } ]\n");
    expect((await kata(["shell", "sqlite", "-c", "SELEKT"], bare)).code).toBe(1);
  });

  it("goes by roles where an exercise has two engines of a kind", async () => {
    const role = "SELECT role FROM prepared";
    const modern = await kata(["shell", "modern", "roles", "-c", role]);
    expect(modern.stdout).toContain("modern");
    expect(modern.stderr).toContain("as reference of roles prepares it");
    const held = await started(["grade", "roles", "--reference", "--keep"], /Ctrl-C here/);
    expect(held.text).toContain("pnpm kata shell legacy\n      file:");
    const legacy = await kata(["shell", "legacy", "-c", role]);
    expect(legacy.stdout).toContain("legacy");
    expect(legacy.stderr).toBe("legacy as apart of roles left it\n");
    held.child.kill("SIGINT");
    await held.closed;
    expect((await kata(["shell", "legacy"])).stderr).toContain("ENGINE_UNKNOWN");
  });

  it("knows its engines", async () => {
    const ran = await kata(["shell", "oracle"]);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatchInlineSnapshot(`
      "ENGINE_UNKNOWN  There is no prompt for an engine called "oracle".
      Likely cause: there is one for postgres, redis, sqlite
      What to do: pnpm kata shell --help
      "
    `);
  });

  it("takes words as redis-cli does", () => {
    expect(words(`SET "a \\"b\\"" 'c d' e ""`)).toEqual(["SET", 'a "b"', "c d", "e", ""]);
  });
});

describe("--help", () => {
  it("kata shell", async () => {
    expect((await kata(["shell", "--help"])).stdout).toMatchSnapshot();
  });
});
