import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type CreateExerciseOptions,
  createExercise,
  defaultTemplates,
} from "../src/create-exercise.ts";
import { GeneratorError } from "../src/errors.ts";

let into: string;

beforeEach(async () => {
  into = await mkdtemp(join(tmpdir(), "kata-generators-"));
  await mkdir(join(into, "projects"));
});

afterEach(() => rm(into, { recursive: true, force: true }));

const create = (options: Partial<CreateExerciseOptions> = {}) =>
  createExercise({ name: "note-book", title: "Notes", engines: ["sqlite"], into, ...options });

/** The error's code and text, with temporary folders made the same in every run. */
async function failureOf(options: Partial<CreateExerciseOptions>): Promise<string> {
  const error = await create(options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof GeneratorError)) throw new Error(`no GeneratorError: ${error}`);
  const text = `${error.code}  ${error.message}`.replaceAll(into, "<workspace>");
  return text.replace(/drafts\/[0-9a-f-]{36}/g, "drafts/<id>");
}

const filesIn = async (folder: string) =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(into.length + 1))
    .sort();

test("it writes the files that it tells, and nothing else", async () => {
  const files = await create();
  expect(files).toContain("projects/note-book/kata.ts");
  expect(await filesIn(into)).toEqual([...files].sort());
});

test("a dry run tells the same and writes nothing", async () => {
  const files = await create({ dryRun: true });
  expect(await readdir(into, { recursive: true })).toEqual(["projects"]);
  expect(await create()).toEqual(files);
});

test("names that are no names", async () => {
  expect(await failureOf({ name: "Write Skew!" })).toMatchInlineSnapshot(`
    "NAME_ILLEGAL  "Write Skew!" can't be the name of an exercise.
    Likely cause: a name is the folder and the package: lower-case letters, digits and single hyphens, at most 50, starting with a letter
    What to do: pnpm kata new write-skew"
  `);
  for (const name of ["", "-a", "a-", "a--b", "1st", "../up", "a/b", "x".repeat(51)]) {
    expect(await failureOf({ name }), name).toMatch(/^NAME_ILLEGAL/);
  }
});

test("a name that is taken, by a folder or by a package", async () => {
  await create();
  expect(await failureOf({})).toMatchInlineSnapshot(`
    "NAME_TAKEN  The name note-book is taken by the folder projects/note-book.
    What to do: choose another one, for example: pnpm kata new note-book-2"
  `);
  await mkdir(join(into, "packages", "grading"), { recursive: true });
  const manifest = '{ "name": "@db-katas/grading" }';
  await writeFile(join(into, "packages", "grading", "package.json"), manifest);
  expect(await failureOf({ name: "grading" })).toMatchInlineSnapshot(`
    "NAME_TAKEN  The name grading is taken by the package in packages/grading.
    What to do: choose another one, for example: pnpm kata new grading-2"
  `);
});

test("titles", async () => {
  expect(await failureOf({ title: "  " })).toMatchInlineSnapshot(`
    "TITLE_MISSING  The exercise has no title.
    Likely cause: the title is empty, or only white space
    What to do: pnpm kata new my-exercise --title "What people will read in kata list""
  `);
  expect(await failureOf({ title: "one\ntwo" })).toMatchInlineSnapshot(`
    "TITLE_ILLEGAL  The title is not one line of at most 80 characters.
    Likely cause: it was pasted with a line break, or it is a summary rather than a title
    What to do: shorten it; there is room for a summary in kata.ts"
  `);
});

test("engines", async () => {
  expect(await failureOf({ engines: [] })).toMatchInlineSnapshot(`
    "ENGINES_EMPTY  The exercise has no engine to be graded on.
    What to do: pnpm kata new my-exercise --engines chroma,clickhouse,kafka,milvus,mongodb,mysql,neo4j,pgextended,pgvector,postgres,qdrant,redis,sqlite,timescaledb,weaviate"
  `);
  expect(await failureOf({ engines: ["sqlite", "postgress"] })).toMatchInlineSnapshot(`
    "ENGINE_UNKNOWN  There is no engine called "postgress".
    Likely cause: a typing error, or an engine that packages/engines does not define yet
    What to do: choose among chroma, clickhouse, kafka, milvus, mongodb, mysql, neo4j, pgextended, pgvector, postgres, qdrant, redis, sqlite, timescaledb, weaviate"
  `);
});

test("an engine that nobody wrote templates for", async () => {
  const templates = join(into, "templates");
  await cp(defaultTemplates, templates, { recursive: true });
  await rm(join(templates, "engines", "redis"), { recursive: true });
  expect(await failureOf({ templates, engines: ["redis"] })).toMatchInlineSnapshot(`
    "ENGINE_WITHOUT_TEMPLATES  The generator can't write code for redis yet.
    Likely cause: the engine exists, but <workspace>/templates/engines/redis holds no part.json
    What to do: copy the folder of another engine beside it, and write its put and get"
  `);
  expect(await readdir(join(into, "projects"))).toEqual([]);
});

test("a folder that is no workspace", async () => {
  expect(await failureOf({ into: join(into, "projects") })).toMatchInlineSnapshot(`
    "WORKSPACE_NOT_FOUND  <workspace>/projects is not a db-katas workspace.
    Likely cause: it has neither projects/ nor a package.json
    What to do: cd into your clone of db-katas, or into what \`pnpm create db-kata\` made"
  `);
});

test("a folder that can't be written leaves nothing behind", async () => {
  await writeFile(join(into, ".kata"), "a file where drafts should go");
  expect(await failureOf({})).toMatchInlineSnapshot(`
    "FOLDER_NOT_WRITABLE  Nothing was written to <workspace>, because not all could be: ENOTDIR: not a directory, mkdir '<workspace>/.kata/drafts/<id>/projects/note-book'
    Likely cause: the folder belongs to another user, the disk is full, or it is read-only
    What to do: ls -ld <workspace>; df -h <workspace>"
  `);
  expect(await filesIn(into)).toEqual([".kata"]);
});

test("a failure at the last step leaves nothing behind", async () => {
  // A link to nowhere: not there for stat, and not to be replaced by a folder.
  await symlink(join(into, "nowhere"), join(into, "projects", "note-book"));
  expect(await failureOf({})).toMatch(/^FOLDER_NOT_WRITABLE/);
  expect(await filesIn(into)).toEqual(["projects/note-book"]);
  expect(await readdir(join(into, ".kata", "drafts"))).toEqual([]);
});

test("of two at the same moment one wins whole, the other one is told", async () => {
  const outcomes = await Promise.allSettled([create(), create({ engines: ["redis"] })]);
  const lost = outcomes.filter((outcome) => outcome.status === "rejected");
  expect(lost.map(({ reason }) => reason.code)).toEqual(["NAME_TAKEN"]);
  const kata = await readFile(join(into, "projects", "note-book", "kata.ts"), "utf8");
  const files = await readdir(join(into, "projects", "note-book", "src"));
  expect(files).toEqual(["index.ts", kata.includes("redis") ? "redis.ts" : "sqlite.ts"].sort());
});
