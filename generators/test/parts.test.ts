import { execFile } from "node:child_process";
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import nodePlop from "node-plop";
import { describe, expect, test, vi } from "vitest";
import { applyChanges } from "../src/changes.ts";
import { createExercise } from "../src/create-exercise.ts";
import { parts } from "../src/parts/index.ts";
import { register } from "../src/register.ts";
import { emptyWorkspace, failureOf, filesIn, make } from "./workspace.ts";

// Busy machines are slow.
vi.setConfig({ testTimeout: 30_000 });

const kata = "note-book";

async function withExercise(): Promise<string> {
  const root = await emptyWorkspace();
  await createExercise({ name: kata, title: "Notes", engines: ["redis", "sqlite"], into: root });
  return root;
}

const read = (root: string, ...path: string[]) =>
  readFile(join(root, "projects", kata, ...path), "utf8");

describe("what is made", () => {
  test("a check is numbered after the last, says what it is, and has a mutant of its own", async () => {
    const root = await withExercise();
    const { changes, next } = await make(root, "check", { kata, id: "stays", like: "redis" });
    expect(changes.map(({ path }) => path)).toEqual([
      "projects/note-book/grading/04-stays.grade.ts",
      "projects/note-book/mutants/against-stays/index.ts",
      "projects/note-book/mutants/against-stays/mutant.json",
    ]);
    expect(await read(root, "grading", "04-stays.grade.ts")).toMatch(
      'title: "stays, as redis does",\n  points: 2,\n  concept: "durability",\n  traps: ["against-stays"],',
    );
    expect(await read(root, "mutants", "against-stays", "mutant.json")).toMatchInlineSnapshot(`
      "{
        "trap": "against-stays",
        "why": "To be written, in the voice of somebody who means well.",
        "must": ["stays"],
        "may": ["redis", "sqlite"]
      }
      "
    `);
    expect(next.join("\n")).toMatchInlineSnapshot(`
      "projects/note-book/grading/04-stays.grade.ts: it does what redis does; make it do what its title says, and mend the hints
      projects/note-book/mutants/against-stays/: it is wrong as in-memory is; make it wrong in the new way
      pnpm kata grade note-book --mutant against-stays --check stays
      pnpm kata verify note-book
      pnpm kata verify note-book --full   tells which other mutants it fails"
    `);
  });

  test("a long title is set as the formatter would", async () => {
    const root = await withExercise();
    const title =
      "a title that takes more room than there is in one line of a file of this project: 97";
    await make(root, "check", { kata, id: "long", title: `${title} letters` });
    expect(await read(root, "grading", "04-long.grade.ts")).toContain(
      `\n  title:\n    "${title} letters",\n`,
    );
  });

  test("a mutant may be what its author has just changed in the reference", async () => {
    const root = await withExercise();
    const git = (...args: string[]) => promisify(execFile)("git", args, { cwd: root });
    await git("init", "--quiet");
    await git("add", ".");
    const who = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
    await git(...who, "commit", "--quiet", "-m", "a");
    const answers = {
      kata,
      name: "wrong-key",
      must: ["redis"],
      why: "It is shorter.",
      changes: "HEAD",
    };
    expect(await failureOf(root, make(root, "mutant", answers))).toMatchInlineSnapshot(`
      "NO_CHANGES  In <workspace>/projects/note-book, src/ is as it was at HEAD.
      Likely cause: the wrong answer isn't written yet, or git doesn't know that commit, or its files
      What to do: change src/, look at git diff HEAD -- src, and run the command again"
    `);
    // The tree with nothing in it, which every repository knows.
    const nothing = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
    const uncommitted = make(root, "mutant", { ...answers, changes: nothing });
    expect(await failureOf(root, uncommitted)).toMatchInlineSnapshot(`
      "NOT_IN_GIT  At 4b825dc642cb6eb9a060e54bf8d69288fbee4904 there is no src/ of <workspace>/projects/note-book.
      Likely cause: the exercise was made after that, and isn't committed yet
      What to do: put the right answer back; git add <workspace>/projects/note-book; make it wrong again; and run the command with --changes $(git write-tree)"
    `);
    const file = join(root, "projects", kata, "src", "redis.ts");
    await writeFile(file, (await readFile(file, "utf8")).replace("note:$", "$"));
    await make(root, "mutant", answers);
    expect(await read(root, "mutants", "wrong-key", "change.patch")).toMatch(
      /^diff --git a\/src\/redis.ts[\s\S]*\n-const keyOf[^\n]*\n\+const keyOf/,
    );
    expect(JSON.parse(await read(root, "mutants", "wrong-key", "mutant.json"))).toEqual({
      trap: "wrong-key",
      why: "It is shorter.",
      must: ["redis"],
    });
    const ofVariant = { ...answers, name: "wrong-list", of: "append-only" };
    const list = join(root, "projects", kata, "variants", "append-only", "redis.ts");
    await writeFile(list, (await readFile(list, "utf8")).replace("note-versions", "notes"));
    await make(root, "mutant", ofVariant);
    expect(await read(root, "mutants", "wrong-list", "change.patch")).toMatch(
      /^diff --git a\/variants\/append-only\/redis.ts/,
    );
    const manifest = JSON.parse(await read(root, "mutants", "wrong-list", "mutant.json"));
    expect(manifest.of).toBe("append-only");
    const unknown = make(root, "mutant", { ...answers, name: "other", of: "write-behind" });
    expect(await failureOf(root, unknown)).toContain("VARIANT_UNKNOWN");
  });

  test("a variant is the reference, one folder further away from the contract", async () => {
    const root = await withExercise();
    await mkdir(join(root, "projects", kata, "src", "deep"));
    const deep = 'import type { Submission } from "../../contract.ts";\nimport "../index.ts";\n';
    await writeFile(join(root, "projects", kata, "src", "deep", "down.ts"), deep);
    await make(root, "variant", { kata, name: "another" });
    expect(await read(root, "variants", "another", "deep", "down.ts")).toBe(
      'import type { Submission } from "../../../contract.ts";\nimport "../index.ts";\n',
    );
    const index = await read(root, "src", "index.ts");
    expect(await read(root, "variants", "another", "index.ts")).toBe(
      index.replace('"../contract.ts"', '"../../contract.ts"'),
    );
    expect(await read(root, "variants", "another", "variant.json")).toMatchInlineSnapshot(`
      "{
        "differs": "To be written: what it does that the reference doesn't.",
        "why": "To be written: why it is right all the same."
      }
      "
    `);
  });

  test("a claim is the newest entry of the log", async () => {
    const root = await withExercise();
    await make(root, "claim", { kata, id: "notes-stay", title: "Notes *stay*", check: "redis" });
    const log = await read(root, "DATABASE_DECISION_LOG.md");
    const [, entry = ""] = log.split(/(?=^## )/m);
    expect(entry.replace(/\d{4}-\d\d-\d\d/, "<date>")).toMatchInlineSnapshot(`
      "## <date> · Notes \\*stay\\*

      - **Chosen:** to be written, in a sentence or two.
      - **Against:** what else would have done.
      - **Why:** what made the difference.
      - **Trade-off:** what it costs, and whom.
      - **Mitigation:** what keeps that small.

      \`\`\`claim
      id: notes-stay
      says: "to be written: what exactly holds; as it is, that the reference passes redis"
      checks: [redis]
      mutants: [in-memory]
      \`\`\`

      "
    `);
    expect(log.match(/^## /gm)).toHaveLength(2);
  });
});

describe("what is refused, leaving nothing behind", () => {
  test.each<[string, string, Record<string, string | string[]>]>([
    ["an exercise that there isn't", "check", { kata: "note-bok", id: "stays" }],
    ["a check that there is", "check", { kata, id: "redis" }],
    ["a check's illegal name", "check", { kata, id: "No Lost Note" }],
    ["a check's title of two lines", "check", { kata, id: "stays", title: "a\nb" }],
    ["to begin as a check that there isn't", "check", { kata, id: "stays", like: "mongo" }],
    ["a mutant that there is", "mutant", { kata, name: "in-memory", must: ["redis"] }],
    ["a mutant of a check that there isn't", "mutant", { kata, name: "a", must: ["mongo"] }],
    [
      "to begin as a mutant that there isn't",
      "mutant",
      { kata, name: "a", must: ["redis"], like: "b" },
    ],
    ["a variant that there is", "variant", { kata, name: "append-only" }],
    ["a claim's illegal name", "claim", { kata, id: "-" }],
    ["a claim on a check that there isn't", "claim", { kata, id: "a", check: "mongo" }],
    ["an engine where there is no clone", "engine", { name: "cupboard" }],
    ["a fault where there is no clone", "fault", { name: "slowDisk" }],
  ])("%s", async (_, name, answers) => {
    const root = await withExercise();
    const before = await filesIn(root);
    expect(await failureOf(root, make(root, name, answers))).toMatchSnapshot();
    expect(await filesIn(root)).toEqual(before);
  });

  test("a check that no mutant fails has nothing to begin with", async () => {
    const root = await withExercise();
    await rm(join(root, "projects", kata, "mutants"), { recursive: true });
    expect(await failureOf(root, make(root, "check", { kata, id: "a" }))).toMatchSnapshot();
    expect(
      await failureOf(root, make(root, "mutant", { kata, name: "a", must: ["redis", "sqlite"] })),
    ).toMatchSnapshot();
  });

  test("a manifest that can't be read", async () => {
    const root = await withExercise();
    await writeFile(join(root, "projects", kata, "mutants", "in-memory", "mutant.json"), "{");
    expect(await failureOf(root, make(root, "check", { kata, id: "a" }))).toMatchSnapshot();
  });

  test("to do a part of it: when the last step fails, the first ones are undone", async () => {
    const root = await emptyWorkspace();
    await writeFile(join(root, "one"), "1");
    await writeFile(join(root, "two"), "2");
    const changes = [
      { path: "new/file", content: "new" },
      { path: "projects/file", content: "new" },
      { path: "one", content: "edited", before: "1" },
      { path: "two", content: "edited", before: "somebody else was quicker" },
    ];
    expect(await failureOf(root, applyChanges(root, changes))).toMatchSnapshot();
    expect(await filesIn(root)).toEqual(["one", "two"]);
    expect(await readFile(join(root, "one"), "utf8")).toBe("1");
  });

  test("to go on when it is interrupted", async () => {
    const root = await emptyWorkspace();
    const controller = new AbortController();
    const changes = ["a", "b"].map((path) => ({ path, content: path }));
    const applied = applyChanges(root, changes, { signal: controller.signal });
    controller.abort();
    await expect(applied).rejects.toThrow("aborted");
    expect(await filesIn(root)).toEqual([]);
  });

  test("to replace a file, or one that came in between", async () => {
    const root = await emptyWorkspace();
    await writeFile(join(root, "projects", "file"), "mine");
    const applied = applyChanges(root, [{ path: "projects/file", content: "new" }]);
    expect(await failureOf(root, applied)).toMatchSnapshot();
    expect(await readFile(join(root, "projects", "file"), "utf8")).toBe("mine");
  });
});

test("an edit keeps what the file may", async () => {
  const root = await emptyWorkspace();
  const file = join(root, "script");
  await writeFile(file, "1");
  await chmod(file, 0o755);
  await applyChanges(root, [{ path: "script", content: "2", before: "1" }]);
  await promisify(execFile)("test", ["-x", file]);
});

test("plop has the same generators, and asks the same", async () => {
  const root = await withExercise();
  const plop = await nodePlop();
  register(plop, { into: root });
  expect(plop.getGeneratorList().map(({ name }) => name)).toEqual(parts.map(({ name }) => name));
  const generator = plop.getGenerator("check");
  const said = [kata, "stays", "a note stays", "redis", "forgetful"];
  const answers = await generator.runPrompts(said);
  expect(Object.values(answers)).toEqual(said);
  const { failures, changes } = await generator.runActions(answers);
  expect(failures).toEqual([]);
  expect(changes[0]?.path).toContain("pnpm kata grade note-book --mutant forgetful --check stays");
  expect(await read(root, "grading", "04-stays.grade.ts")).toContain('title: "a note stays"');
});
