/** Whatever goes wrong: a clear text, an exit code, and nothing half-written. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { createExercise, createLinkedWorkspace } from "@db-katas/generators";
import { describe, expect, it, onTestFinished } from "vitest";
import { canMount, onSmallDisk } from "./disk.ts";
import { attempt, MAIN } from "./registry.ts";
import { inTerminal, KEYS } from "./terminal.ts";

const repo = join(import.meta.dirname, "..", "..", "..");
const unlessMounted = canMount ? "" : " (skipped: nothing can be mounted here)";
const KATA = join(repo, "packages", "cli", "src", "main.ts");
async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "kata-bad-input-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function emptyWorkspace(): Promise<string> {
  const workspace = await createLinkedWorkspace(repo);
  onTestFinished(() => workspace[Symbol.asyncDispose]());
  return workspace.root;
}

/** Without what is different in every run. */
function clean(printed: string, folder: string): string {
  return printed
    .replaceAll("\r", "")
    .replaceAll(folder, "<folder>")
    .replaceAll(/(choose among ).*/g, "$1<engines>")
    .replaceAll(/(ENOSPC: no space left on device).*/g, "$1 …")
    .replaceAll(/drafts\/[0-9a-f-]{36}/g, "drafts/<id>")
    .replaceAll(/\.create-db-kata-\d+/g, ".create-db-kata-<pid>");
}

async function kata(root: string, ...args: string[]) {
  const { code, stdout, stderr } = await attempt(
    root,
    process.env,
    process.execPath,
    KATA,
    ...args,
  );
  return `${code} ${clean(stdout + stderr, root)}`;
}

describe("kata new", { timeout: 60_000 }, () => {
  it.each([
    ["a name that is taken", ["note-book", "--engines", "sqlite"]],
    ["a name that can't be one", ["Write Skew", "--engines", "sqlite"]],
    ["an engine that there isn't", ["write-skew", "--engines", "sqlite", "oracle"]],
    ["to guess the engines", ["write-skew"]],
    ["a part that there isn't", ["chek", "note-book", "stays"]],
  ])("refuses %s", async (_, args) => {
    const root = await emptyWorkspace();
    await createExercise({ name: "note-book", title: "Notes", engines: ["sqlite"], into: root });
    expect(await kata(root, "new", ...args)).toMatchSnapshot();
    expect(await readdir(join(root, "projects"))).toEqual(["note-book"]);
  });

  it("refuses a folder below a file", async () => {
    const root = await emptyWorkspace();
    await rm(join(root, "projects"), { recursive: true });
    await writeFile(join(root, "projects"), "a file");
    expect(await kata(root, "new", "write-skew", "--engines", "sqlite")).toMatchSnapshot();
    expect(await readdir(join(root, ".kata", "drafts"))).toEqual([]);
  });

  const disk = 'cp "$SETTINGS"/pnpm-workspace.yaml "$SETTINGS"/package.json . && mkdir projects &&';
  const then = '"$@"; echo "exit code $?"; find . -mindepth 1 -not -name .kata -not -name drafts';

  it.skipIf(!canMount)(`on a full disk leaves nothing${unlessMounted}`, async () => {
    const settings = await emptyWorkspace();
    const folder = await emptyFolder();
    const command = [process.execPath, KATA, "new", "write-skew", "--engines", "sqlite"];
    const script = `export SETTINGS="${settings}"; ${disk} ${then}`;
    const { stdout, stderr } = await onSmallDisk(folder, 32, script, command);
    expect(clean(stderr + stdout, folder)).toMatchSnapshot();
  });

  it.skipIf(!canMount)(`on a read-only disk leaves nothing${unlessMounted}`, async () => {
    const settings = await emptyWorkspace();
    const folder = await emptyFolder();
    const command = [process.execPath, KATA, "new", "write-skew", "--engines", "sqlite"];
    const script = `export SETTINGS="${settings}"; ${disk} mount -o remount,ro "$0" && ${then}`;
    const { stdout, stderr } = await onSmallDisk(folder, 1024, script, command);
    expect(clean(stderr + stdout, folder)).toMatchSnapshot();
  });

  it("asks for what isn't said, in a terminal", async () => {
    const root = await emptyWorkspace();
    const { code, shown } = await inTerminal(
      root,
      [KATA, "new", "--no-install"],
      [
        ["Name (its folder", "Write Skew\r"],
        [`"Write Skew" can't be the name of an exercise`, `${KEYS.rubOut.repeat(10)}write-skew\r`],
        ["Engines:", `${KEYS.up} \r`],
      ],
    );
    expect(shown).toContain("pnpm kata verify write-skew");
    expect(code).toBe(0);
    expect(await readdir(join(root, "projects", "write-skew"))).toContain("kata.ts");
  });

  it("asks about a part, with what is there to choose from", async () => {
    const root = await emptyWorkspace();
    await createExercise({ name: "note-book", title: "Notes", engines: ["sqlite"], into: root });
    const { shown } = await inTerminal(
      root,
      [KATA, "new", "mutant"],
      [
        ["Which exercise?", "\r"],
        ["What is it called", "forgetful\r"],
        ["Which checks must fail it?", " \r"],
      ],
    );
    expect(shown).toContain("projects/note-book/mutants/forgetful/mutant.json");
  });

  it("ended at a question has written nothing", async () => {
    const root = await emptyWorkspace();
    const steps = [["Name (its folder", KEYS.interrupt]] as const;
    const { code, shown } = await inTerminal(root, [KATA, "new"], steps);
    expect(shown).toContain("Nothing was written.");
    expect(code).toBe(130);
    expect(await readdir(join(root, "projects"))).toEqual([]);
  });

  it("ended while it writes leaves nothing", async () => {
    const root = await emptyWorkspace();
    const args = [KATA, "new", "write-skew", "--engines", "sqlite"];
    const { code, printed } = await interruptedWhileWriting(root, "kata.ts", args);
    expect(`${code} ${printed}`).toBe("130 \nNothing was written.\n");
    expect(await readdir(join(root, "projects"))).toEqual([]);
    expect(await readdir(join(root, ".kata", "drafts"))).toEqual([]);
  });

  it("ended while it installs has written the whole exercise", async () => {
    const root = await emptyWorkspace();
    const pnpm = await hangingPnpm();
    const env = { ...process.env, npm_execpath: pnpm.file };
    const args = [KATA, "new", "write-skew", "--engines", "sqlite"];
    const child = spawn(process.execPath, args, { cwd: root, env });
    await pnpm.isRunning(child);
    child.kill("SIGINT");
    const [printed, [code]] = await Promise.all([text(child.stderr), once(child, "close")]);
    expect(`${code} ${printed}`).toMatchSnapshot();
    expect(await readdir(join(root, "projects", "write-skew"))).toContain("kata.ts");
  });
});

describe("create-db-kata", { timeout: 60_000 }, () => {
  it("asks for what isn't said, in a terminal", async () => {
    const here = await emptyFolder();
    const { code, shown } = await inTerminal(
      here,
      [MAIN, "--no-install", "--no-git"],
      [
        ["Where to?", "katas\r"],
        // The last of the list.
        ["A new exercise of my own", `${KEYS.up} \r`],
        ["What is it called?", "Write Skew\r"],
        [`"Write Skew" can't be the name`, `${KEYS.rubOut.repeat(10)}write-skew\r`],
        ["What does it run on?", " \r"],
        ["How does the grader call it?", `${KEYS.up}\r`],
      ],
    );
    expect(shown).toMatch(/kata new write-skew --engines \w+ --shape websocket/);
    expect(code).toBe(0);
    expect(await readdir(here)).toEqual(["katas"]);
  });

  it("ended at a question has written nothing", async () => {
    const here = await emptyFolder();
    const steps = [
      ["Where to?", "katas\r"],
      ["Which exercises?", KEYS.interrupt],
    ] as const;
    const { code, shown } = await inTerminal(here, [MAIN], steps);
    expect(shown).toContain("Nothing was written.");
    expect(code).toBe(130);
    expect(await readdir(here)).toEqual([]);
  });

  it("ended while it writes leaves nothing", async () => {
    const here = await emptyFolder();
    const args = [MAIN, "katas", "--yes", "--no-install"];
    const { code, printed } = await interruptedWhileWriting(here, "turbo.json", args);
    expect(`${code} ${printed}`).toMatchSnapshot();
    expect(await readdir(here)).toEqual([]);
  });

  it("ended while it installs has written the whole workspace", async () => {
    const here = await emptyFolder();
    const pnpm = await hangingPnpm();
    const PATH = [pnpm.folder, process.env.PATH].join(delimiter);
    const args = [MAIN, "katas", "--yes", "--no-git", "--pm", "pnpm"];
    const child = spawn(process.execPath, args, { cwd: here, env: { ...process.env, PATH } });
    await pnpm.isRunning(child);
    child.kill("SIGINT");
    const [printed, [code]] = await Promise.all([text(child.stderr), once(child, "close")]);
    expect(`${code} ${clean(printed, here)}`).toMatchSnapshot();
    expect(await readdir(join(here, "katas"))).toContain("README.md");
  });

  it.skipIf(!canMount)(`on a full disk leaves nothing${unlessMounted}`, async () => {
    const folder = await emptyFolder();
    const script = '"$@"; echo "exit code $?"; find . -mindepth 1';
    const command = [process.execPath, MAIN, "katas", "--yes", "--no-install"];
    const { stdout, stderr } = await onSmallDisk(folder, 32, script, command);
    expect(clean(stderr + stdout, folder)).toMatchSnapshot();
  });

  it.skipIf(!canMount)(`on a read-only disk leaves nothing${unlessMounted}`, async () => {
    const folder = await emptyFolder();
    const script = 'mount -o remount,ro "$0" && "$@"; echo "exit code $?"; find . -mindepth 1';
    const command = [process.execPath, MAIN, "katas", "--yes", "--no-install"];
    const { stdout, stderr } = await onSmallDisk(folder, 1024, script, command);
    expect(clean(stderr + stdout, folder)).toMatchSnapshot();
  });
});

/** Sends Ctrl-C at the moment in which a certain file is about to be written. */
async function interruptedWhileWriting(cwd: string, file: string, args: readonly string[]) {
  const hook = join(await emptyFolder(), "hook.mjs");
  await writeFile(
    hook,
    `import { once } from "node:events";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
const { writeFile } = fs;
fs.writeFile = async (path, ...rest) => {
  if (String(path).endsWith(${JSON.stringify(file)})) {
    const alive = setInterval(() => {}, 60_000);
    const interrupted = once(process, "SIGINT");
    process.kill(process.pid, "SIGINT");
    await interrupted;
    clearInterval(alive);
  }
  return writeFile(path, ...rest);
};
syncBuiltinESMExports();
`,
  );
  const child = spawn(process.execPath, ["--import", hook, ...args], { cwd });
  const [printed, [code]] = await Promise.all([text(child.stderr), once(child, "close")]);
  return { code, printed: clean(printed, cwd) };
}

/** A pnpm that never ends by itself. */
async function hangingPnpm() {
  const folder = await emptyFolder();
  await mkdir(join(folder, "bin"));
  const [file, started] = [join(folder, "bin", "pnpm"), join(folder, "started")];
  const script = `#!/bin/sh\n[ "$1" = --version ] && exit\necho $$ > ${started}\nexec sleep 600\n`;
  await writeFile(file, script);
  await chmod(file, 0o755);
  return {
    file,
    folder: join(folder, "bin"),
    /** @throws when the program has ended before */
    async isRunning(child: ChildProcess) {
      while (!(await readFile(started, "utf8").catch(() => ""))) {
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
}
