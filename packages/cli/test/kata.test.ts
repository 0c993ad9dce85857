import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { scorecardSchema } from "@db-katas/grading";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ENVIRONMENT, MAIN, runKata } from "./run-kata.ts";

const COUNTER = join(import.meta.dirname, "..", "..", "grading", "test", "fixtures", "counter");

let root: string;

/** A workspace of its own, whose one exercise needs no engine. */
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "kata-cli-"));
  await mkdir(join(root, "projects"));
  await writeFile(join(root, "pnpm-workspace.yaml"), 'packages: ["projects/*"]\n');
  await writeFile(join(root, "tsconfig.base.json"), "{}\n");
  await symlink(COUNTER, join(root, "projects", "counter"));
});
afterAll(() => rm(root, { recursive: true }));

function kata(args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  const { cwd = root, env } = options;
  return runKata(args, { cwd, env: { ...ENVIRONMENT, ...env }, masked });
}

/** Paths, times and seeds differ from run to run. */
function masked(text: string): string {
  return text
    .replaceAll(`/private${root}`, "<root>")
    .replaceAll(root, "<root>")
    .replaceAll(tmpdir(), "<tmp>")
    .replaceAll(/ *\d+\.\d s\b/g, " <t> s")
    .replaceAll(/ *\d+ ms\b/g, " <t> ms")
    .replaceAll(/seed \d+/g, "seed <n>")
    .replaceAll(/--seed \d+/g, "--seed <n>");
}

describe("kata grade", () => {
  it("gives full marks, and exit code 0", async () => {
    const ran = await kata(["grade", "counter", "--reference", "--seed", "7"]);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatchInlineSnapshot(`
      "counter · reference
        ✓   2/2 <t> s  adding adds · adds
        ✓   1/1 <t> s  it starts where it is told · starts-anywhere

        3 of 3 points  seed <n> · <t> s

      2 passed, 0 failed
      "
    `);
  });

  it("tells lost points with exit code 1", async () => {
    const ran = await kata(["grade", "counter", "--mutant", "forgets", "--seed", "7"]);
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatchInlineSnapshot(`
      "counter · mutant forgets
        ✗   0/2 <t> s  adding adds · adds
                and 1 more makes 8
                expected  8
                received  6
                what was done, the last of it:
       <t> ms  a       createNode(…) → undefined  ( <t> ms)
       <t> ms  [step]  add two
       <t> ms  a       add(2) → 7  ( <t> ms)
       <t> ms  a       add(1) → 6  ( <t> ms)
                again  pnpm kata grade counter --mutant forgets --check adds --seed <n>
        –   0/1 <t> s  it starts where it is told · starts-anywhere skipped (adds did not pass)

        stuck?  pnpm kata hint counter --mutant forgets

        0 of 3 points  seed <n> · <t> s

      0 passed, 1 failed, 1 skipped
      "
    `);
  });

  it("tells a submission that breaks with exit code 3", async () => {
    const ran = await kata(["grade", join(COUNTER, "broken", "exits"), "--kata", "counter"]);
    expect(ran.code).toBe(3);
    expect(ran.stdout).toContain("about to leave");
  });

  it("prints a scorecard that fits its schema, and nothing else, with --json", async () => {
    const ran = await kata(["grade", "counter", "--reference", "--json"]);
    expect(scorecardSchema.safeParse(JSON.parse(ran.stdout)).success).toBe(true);
  });

  it("isolates when it is told to, or refuses", async () => {
    const ran = await kata(["grade", "counter", "--reference", "--json", "--isolated"]);
    if (ran.code === 2) expect(ran.stderr).toContain("ISOLATION_UNAVAILABLE");
    else expect(JSON.parse(ran.stdout)).toMatchObject({ isolation: "namespaces" });
  });

  it("replays the seed of KATA_SEED", async () => {
    const ran = await kata(["grade", "counter", "--reference", "--json"], {
      env: { KATA_SEED: "4711" },
    });
    expect(JSON.parse(ran.stdout)).toMatchObject({ seed: 4711 });
  });

  it("finds the packages that a submission elsewhere on disk lacks", async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), "kata-elsewhere-"));
    try {
      await cp(join(COUNTER, "src", "index.ts"), join(elsewhere, "index.ts"));
      const source = await readFile(join(elsewhere, "index.ts"), "utf8");
      await writeFile(join(elsewhere, "index.ts"), `import "@db-katas/engines";\n${source}`);
      const ran = await kata(["grade", elsewhere, "--kata", "counter"]);
      expect(ran.code).toBe(0);
    } finally {
      await rm(elsewhere, { recursive: true });
    }
  });
});

describe("bad input names what to type next, with exit code 2", () => {
  const cases: [string, string[]][] = [
    ["an unknown kata", ["grade", "nope"]],
    ["no attempt yet", ["grade", "counter"]],
    ["a folder that isn't there", ["grade", "./nowhere"]],
    ["a folder without a submission", ["grade", ".", "--kata", "counter"]],
    ["a folder of no kata", ["grade", "."]],
    ["an unknown check", ["grade", "counter", "--reference", "--check", "nope"]],
    ["an unknown mutant", ["grade", "counter", "--mutant", "nope"]],
    ["a seed that is none", ["grade", "counter", "--seed", "many"]],
    ["an unknown command", ["grde"]],
    ["an unknown kata to start", ["start", "nope"]],
    ["a hint before the first grade", ["hint", "counter", "--starter"]],
  ];
  it.each(cases)("%s", async (_, args) => {
    const ran = await kata(args);
    expect(ran.stdout).toBe("");
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatchSnapshot();
  });

  it("outside of any workspace", async () => {
    const ran = await kata(["list"], { cwd: tmpdir() });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatchInlineSnapshot(`
      "NOT_IN_WORKSPACE  <tmp> is not inside a db-katas workspace.
      Likely cause: kata looks upwards for a workspace that has projects/, or @db-katas/cli in its package.json
      What to do: cd into your clone of db-katas, or into the folder that \`pnpm create db-kata\` made
      "
    `);
  });

  it("turbo without the engines' key", async () => {
    const ran = await kata(["grade", "counter", "--reference"], {
      env: { TURBO_HASH: "abc", KATA_ENGINE_KEY: "" },
    });
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatchInlineSnapshot(`
      "NO_ENGINE_KEY  turbo was started without KATA_ENGINE_KEY.
      Likely cause: \`turbo test\` was called directly; its cache would not notice another engine
      What to do: pnpm test
      "
    `);
  });
});

describe("kata hint", () => {
  it("shows one level at a time, of the first check that failed", async () => {
    await kata(["grade", "counter", "--mutant", "forgets"]);
    expect((await kata(["hint", "counter", "--mutant", "forgets"])).stdout).toMatchInlineSnapshot(`
      "adds: adding adds

        1. Add.

      1 more: pnpm kata hint counter --mutant forgets --check adds --level 2
      "
    `);
    const all = await kata(["hint", "counter", "--mutant", "forgets", "--level", "2"]);
    expect(all.stdout).toContain("That was the last hint.");
    const none = await kata([
      "hint",
      "counter",
      "--mutant",
      "forgets",
      "--check",
      "starts-anywhere",
    ]);
    expect(none.stderr).toMatchInlineSnapshot(`
      "HINT_UNKNOWN  There is no hint for "starts-anywhere".
      Likely cause: the checks that failed are adds
      What to do: pnpm kata grade counter --mutant forgets
      "
    `);
  });
});

/** Subjects are told as they are done, and those that are done first differ from run to run. */
function inOrder(text: string): string {
  const [head = "", ...blocks] = text.split(/\n(?= {2}[✓✗] |\n)/);
  const last = blocks.pop() ?? "";
  return [head, ...blocks.sort(), last].join("\n");
}

describe("kata verify", () => {
  it("names the mutant that gets away, with exit code 1", async () => {
    const ran = await kata(["verify", "counter", "--seed", "7", "--concurrency", "1"]);
    expect(ran.code).toBe(1);
    expect(inOrder(ran.stdout)).toMatchInlineSnapshot(`
      "verify counter · seed <n>
        ✓ <t> s  coverage: every check has a mutant that must fail it
        ✓ <t> s  mutant forgets: fails adds
        ✓ <t> s  mutant stuck: fails adds, starts-anywhere
        ✓ <t> s  reference: gets full marks
        ✓ <t> s  starter: fails every check with a message of its own tasks
        ✓ <t> s  types: reference, starter, variants and mutants type-check
        ✓ <t> s  variant other: gets full marks
        ✗ <t> s  mutant blameless: fails adds
              adds passed, though it must fail

      7 passed, 1 failed, 0 skipped
      "
    `);
  });
});

describe("kata soak", () => {
  it("goes on where it was ended, and adds up what it saw", async () => {
    const soak = (...args: string[]) => kata(["soak", "counter", ...args]);
    const journal = join(COUNTER, ".kata", "soak", "work.jsonl");
    await rm(journal, { force: true });
    try {
      const first = await soak("--kind", "reference", "--runs", "2");
      expect(first.code).toBe(0);
      expect(first.stdout).toContain("reference: grade 2");
      await appendFile(journal, '\n{"at":"2026');
      const second = await soak("--runs", "1");
      expect(second.stdout).toContain("reference: grade 3");
      expect(second.stdout).not.toContain("reference: grade 2");
      const status = await soak("--status");
      expect(status.stdout.replace(/sources \w+/, "sources <hash>")).toMatchInlineSnapshot(`
        "soak counter · sources <hash>

          reference      3 of 100  the reference graded 100 times; 0 of 6 check-runs unexpected (95 %: at most 39 %)
          matrix         0 of 30  the kill matrix 5 times; nothing run yet
          in all: 0 of 6 check-runs unexpected (95 %: at most 39 %)
        "
      `);
      // As it stands there when a check failed that doesn't have to: what it told is not lost.
      const [entry] = (await readFile(journal, "utf8")).trim().split("\n");
      const cell = { subject: "reference", check: "adds", verdicts: { failed: 1 }, unexpected: 1 };
      const failures = ["adds\n          1 + 1 is 2"];
      const failed = { ...JSON.parse(entry ?? ""), unexpected: 1, cells: [cell], failures };
      await writeFile(journal, JSON.stringify(failed));
      const after = await soak("--status");
      expect(after.code).toBe(1);
      expect(after.stdout).toContain(
        `    reference × adds: failed, seed <n>\n    adds\n          1 + 1 is 2\n`,
      );
    } finally {
      await rm(journal, { force: true });
    }
  });
});

describe("kata list", () => {
  it("shows what there is", async () => {
    const ran = await kata(["list", "--json"]);
    expect(JSON.parse(ran.stdout)).toMatchObject([{ name: "counter", checks: 2, points: 3 }]);
  });

  it("and which exercise is broken, that the others are not lost for it", async () => {
    const broken = join(root, "projects", "half");
    await mkdir(broken);
    await writeFile(join(broken, "kata.ts"), "export default {");
    try {
      const ran = await kata(["list", "--json"]);
      expect(JSON.parse(ran.stdout)).toMatchObject([{ name: "counter" }]);
      expect(ran.stderr).toMatch(/^half is left out: .*kata\.ts could not be loaded: /);
      expect(ran.stderr).toContain("pnpm kata verify half");
      const claims = await kata(["falsify", "--list"]);
      expect(claims.code).toBe(0);
      expect(claims.stderr).toContain("half is left out");
    } finally {
      await rm(broken, { recursive: true });
    }
  });
});

describe("kata --help", () => {
  it.each([[[]], [["grade"]], [["verify"]], [["soak"]], [["pack"]], [["engines", "status"]]])(
    "%j",
    async (command) => {
      const ran = await kata([...command, "--help"]);
      expect(ran.code).toBe(0);
      expect(ran.stdout).toMatchSnapshot();
    },
  );
});

it("ends without a word when nobody reads on", async () => {
  const child = spawn(process.execPath, [MAIN, "list"], {
    cwd: root,
    env: { ...process.env, TURBO_HASH: "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.destroy();
  const closed = once(child, "close");
  expect(await text(child.stderr)).toBe("");
  expect(await closed).toEqual([141, null]);
});

describe("Ctrl-C", () => {
  it("ends a grade that hangs, with exit code 130", async () => {
    const child = spawn(
      process.execPath,
      [MAIN, "grade", join(COUNTER, "broken", "loops"), "--kata", "counter", "--watch"],
      {
        cwd: root,
        env: { ...process.env, TURBO_HASH: "" },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    const closed = new Promise((resolve) => child.once("close", resolve));
    // Not `for await`: to leave it closes the pipe, and the next line that kata writes ends it.
    const graded = new Promise<void>((resolve) => {
      child.stdout.setEncoding("utf8").on("data", (text) => {
        if (text.includes("counter ·")) resolve();
      });
    });
    await Promise.race([graded, closed]);
    child.kill("SIGINT");
    expect(await closed).toBe(130);
  });
});
