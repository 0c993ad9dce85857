import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createExercise, defaultTemplates } from "@db-katas/generators";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { changeWhole, recover } from "../src/update/transaction.ts";
import { runKata } from "./run-kata.ts";

const GRADING = join(import.meta.dirname, "..", "..", "grading");
const COUNTER = join(GRADING, "test", "fixtures", "counter");
const TRANSACTION = join(import.meta.dirname, "..", "src", "update", "transaction.ts");

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "kata-update-test-"));
});
afterEach(() => rm(root, { recursive: true, maxRetries: 3 }));

const at = (...path: string[]) => join(root, ...path);
const text = (...path: string[]) => readFile(at(...path), "utf8");
const content = (value: string) => ({ bytes: Buffer.from(value), executable: false });

describe("kata update, in a clone", () => {
  const kata = (...args: string[]) => runKata(args, { cwd: root, masked });
  const masked = (said: string) =>
    said.replaceAll(root, "<root>").replaceAll(/update-\d[\dTZ-]+/g, "update-<time>");

  beforeEach(async () => {
    // What makes it a clone.
    await mkdir(at("packages", "cli"), { recursive: true });
    await writeFile(at("packages", "cli", "package.json"), "{}");
    await writeFile(at("pnpm-workspace.yaml"), "packages: []\n");
    await writeFile(at("package.json"), "{}");
    const project = at("projects", "counter");
    await mkdir(project, { recursive: true });
    // Its imports are found from where it is.
    await symlink(join(COUNTER, "kata.ts"), join(project, "kata.ts"));
    await cp(join(COUNTER, "contract.ts"), join(project, "contract.ts"));
    await cp(join(COUNTER, "starter"), join(project, "starter"), { recursive: true });
    await writeFile(at("projects", "counter", "README.md"), "# Counter\n\nTask 1\n\nTask 2\n");
    const manifest = { name: "@db-katas/counter", version: "1.0.0" };
    await writeFile(at("projects", "counter", "package.json"), JSON.stringify(manifest));
    // What a new exercise imports.
    await mkdir(at("node_modules", "@db-katas"), { recursive: true });
    await symlink(GRADING, at("node_modules", "@db-katas", "grading"));
    expect((await kata("start", "counter", "--no-install")).code).toBe(0);
  });

  it("has nothing to do right after the start", async () => {
    const { code, stdout } = await kata("update");
    expect([code, stdout]).toEqual([0, "Everything is up to date.\n"]);
  });

  it("merges newer templates into an exercise that was made of older ones", async () => {
    const old = at("old");
    await cp(defaultTemplates, join(old, "templates"), { recursive: true });
    const older = async (path: string, change: (text: string) => string) => {
      const file = join(old, "templates", "exercise", path);
      await writeFile(file, change(await readFile(file, "utf8")));
    };
    await writeFile(join(old, "package.json"), '{ "name": "old", "version": "0.0.1" }');
    await older("README.md.hbs", (text) => text.replace("## Predict first", "## Predict"));
    await older("starter/index.ts.hbs", (text) => text.replace("starts here", "goes here"));
    await older("src/index.ts.hbs", (text) => `// Older.\n${text}`);
    await older("kata.ts.hbs", (text) => `${text}// Older.\n`);
    await createExercise({
      ...{ name: "notes", title: "Notes", engines: ["sqlite"], into: root },
      templates: join(old, "templates"),
    });
    const mine = (...path: string[]) => at("projects", "notes", ...path);
    const change = async (file: string, by: (text: string) => string) =>
      writeFile(file, by(await readFile(file, "utf8")));
    await change(mine("README.md"), (text) => text.replace(/^# .*/, "# My exercise"));
    await change(mine("starter/index.ts"), (text) => text.replace("goes here", "is yours"));
    await writeFile(mine("src/index.ts"), "export default {};\n");
    await rm(mine("DATABASE_DECISION_LOG.md"));

    const before = await readFile(mine("README.md"), "utf8");
    const dry = await kata("update", "--dry-run");
    expect(dry.stdout).toContain("Nothing was written.");
    expect(await readFile(mine("README.md"), "utf8")).toBe(before);

    const { code, stdout } = await kata("update", "--no-install");
    expect(`${code} ${stdout}`).toMatchSnapshot();
    expect(await readFile(mine("README.md"), "utf8")).toMatch(
      /^# My exercise\n[\s\S]*## Predict first\n/,
    );
    expect(await readFile(mine("starter/index.ts"), "utf8")).toMatch(/^<<<<<<< yours\n/);
    const again = await kata("update");
    expect([again.code, again.stdout]).toEqual([0, "Everything is up to date.\n"]);
  });

  it("leaves an exercise alone that can no longer be made", async () => {
    await createExercise({ name: "notes", title: "Notes", engines: ["sqlite"], into: root });
    const record = at("projects", "notes", ".kata-template.json");
    await writeFile(record, (await readFile(record, "utf8")).replace('"sqlite"', '"oracle"'));
    const { code, stdout } = await kata("update");
    expect(code).toBe(0);
    expect(stdout).toContain('projects/notes is left alone: There is no engine called "oracle".');
  });

  it("merges what has changed in the exercise with what the learner has changed", async () => {
    const attempt = (...path: string[]) => at("attempts", "counter", ...path);
    const project = (...path: string[]) => at("projects", "counter", ...path);
    await writeFile(attempt("README.md"), "# Counter\n\nTask 1, done\n\nTask 2\n");
    await writeFile(attempt("src", "mine.ts"), "export {};\n");
    await writeFile(project("README.md"), "# Counter\n\nTask 1\n\nTask 2\n\nTask 3\n");
    await writeFile(project("starter", "new.ts"), "export {};\n");
    const before = await readdir(attempt(), { recursive: true });
    const dry = await kata("update", "--dry-run");
    expect(dry).toMatchSnapshot();
    expect(await readdir(attempt(), { recursive: true })).toEqual(before);
    const done = await kata("update", "--no-install");
    expect(done).toMatchSnapshot();
    expect(await readFile(attempt("README.md"), "utf8")).toBe(
      "# Counter\n\nTask 1, done\n\nTask 2\n\nTask 3\n",
    );
    expect((await kata("update", "--no-install")).stdout).toBe("Everything is up to date.\n");
  });

  it("marks a conflict as git does, and won't go on before it is sorted out", async () => {
    const brief = at("attempts", "counter", "README.md");
    await writeFile(brief, "# Counter\n\nMy task\n\nTask 2\n");
    await writeFile(at("projects", "counter", "README.md"), "# Counter\n\nTask one\n\nTask 2\n");
    expect(await kata("update", "--no-install", "--json")).toMatchSnapshot();
    expect(await readFile(brief, "utf8")).toMatchSnapshot();
    await writeFile(at("projects", "counter", "README.md"), "# Counter\n\nTask 1\n\nTask two\n");
    expect(await kata("update", "--no-install")).toMatchSnapshot();
  });

  it("goes on past exercises that can't be loaded, one with an attempt among them", async () => {
    const [counter, unfinished] = [at("projects", "counter"), at("projects", "unfinished")];
    await rm(join(counter, "kata.ts"));
    await mkdir(unfinished);
    for (const folder of [counter, unfinished]) {
      await writeFile(join(folder, "kata.ts"), "export default {");
    }
    await writeFile(join(counter, "README.md"), "# Counter\n\nTask 1\n\nTask two\n");
    const { code, stdout } = await kata("update", "--no-install");
    expect(stdout).toContain("updated   attempts/counter/README.md");
    expect(code).toBe(0);
  });

  it("refuses a record that somebody has spoilt", async () => {
    await writeFile(at("attempts", "counter", ".kata-template.json"), "<<<<<<< HEAD");
    expect(await kata("update")).toMatchSnapshot();
  });
});

describe("changes", () => {
  const changes = new Map([
    ["a/changed.txt", content("new")],
    ["a/gone.txt", undefined],
    ["b/added.txt", content("new")],
  ]);
  beforeEach(async () => {
    await mkdir(at("a"));
    await writeFile(at("a", "changed.txt"), "old");
    await writeFile(at("a", "gone.txt"), "old");
    await writeFile(at("lock"), "old");
  });
  const all = async () =>
    (await readdir(root, { recursive: true })).filter((name) => !name.startsWith(".kata")).sort();
  const before = ["a", "a/changed.txt", "a/gone.txt", "lock"];

  it("are made, and leave a copy of what was there", async () => {
    const backup = await changeWhole(root, changes, ["lock"], async () => {});
    expect(await all()).toEqual(["a", "a/changed.txt", "b", "b/added.txt", "lock"]);
    expect(await text(backup, "before", "a", "changed.txt")).toBe("old");
    expect(await text(backup, "before", "a", "gone.txt")).toBe("old");
    expect(await readdir(at(".kata"))).toEqual(["backups"]);
  });

  it("are undone when what follows fails, lock files included", async () => {
    const failing = changeWhole(root, changes, ["lock"], async () => {
      await writeFile(at("lock"), "new");
      throw new Error("no network");
    });
    await expect(failing).rejects.toThrow("no network");
    expect(await all()).toEqual(before);
    expect([await text("a", "changed.txt"), await text("lock")]).toEqual(["old", "old"]);
    expect(await readdir(at(".kata"))).toEqual([]);
  });

  it("are not made at all where they can't be", async () => {
    const impossible = new Map([...changes, ["lock/in-a-file", content("new")]]);
    await expect(changeWhole(root, impossible, [], async () => {})).rejects.toMatchObject({
      code: "UPDATE_FAILED",
    });
    expect(await all()).toEqual(before);
  });

  /** Another process begins, and is ended in the middle of it. */
  async function ended(signal: NodeJS.Signals): Promise<number | null> {
    const script = `
      import { changeWhole } from ${JSON.stringify(TRANSACTION)};
      const content = (text) => ({ bytes: Buffer.from(text), executable: false });
      const changes = new Map([["a/changed.txt", content("new")], ["a/gone.txt", undefined], ["b/added.txt", content("new")]]);
      await changeWhole(${JSON.stringify(root)}, changes, ["lock"], async () => {
        process.stdout.write("written");
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      });`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const closed = new Promise<number | null>((resolve) => child.once("close", resolve));
    child.stdout.once("data", () => child.kill(signal));
    return closed;
  }

  it("are undone by Ctrl-C", async () => {
    expect(await ended("SIGINT")).toBe(130);
    expect(await all()).toEqual(before);
    expect(await recover(root)).toBeUndefined();
  });

  it("are undone by the next one after kill -9, but for what was edited since", async () => {
    await ended("SIGKILL");
    expect(await text("a", "changed.txt")).toBe("new");
    expect(await recover(root)).toBe(
      "An update was ended half-way: everything is as it was before it.",
    );
    expect(await all()).toEqual(before);
    await ended("SIGKILL");
    await writeFile(at("a", "changed.txt"), "edited since");
    expect(await recover(root)).toBe(
      "An update was ended half-way. All is as it was before it, but for what has changed since: a/changed.txt.",
    );
    expect(await text("a", "changed.txt")).toBe("edited since");
    const [backup = ""] = await readdir(at(".kata", "backups"));
    expect(await text(".kata", "backups", backup, "before", "a", "changed.txt")).toBe("old");
  });

  it("are refused while another process is at it", async () => {
    let refused: unknown;
    await changeWhole(root, changes, [], async () => {
      await writeFile(
        at(".kata", "update", "plan.json"),
        JSON.stringify({ pid: process.ppid, files: [] }),
      );
      refused = await recover(root).catch((error: unknown) => error);
    });
    expect(refused).toMatchObject({ code: "UPDATE_REFUSED" });
  });
});

it("kata update --help", async () => {
  const { stdout } = await runKata(["update", "--help"], { cwd: root });
  expect(stdout).toMatchSnapshot();
});
