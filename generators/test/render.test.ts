import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { defaultTemplates } from "../src/create-exercise.ts";
import { availableEngines } from "../src/engines.ts";
import { renderExercise, stringLiteral } from "../src/render.ts";
import { SHAPES, type Shape } from "../src/shapes.ts";

const date = new Date("2026-01-31T12:00:00Z");

const shapes = Object.keys(SHAPES) as Shape[];
const everyEngine = (await availableEngines(defaultTemplates)).map(({ name }) => name);

async function render(engines: readonly string[], shape?: Shape): Promise<Map<string, string>> {
  const input = { name: "note-book", title: 'The "note" book', engines, date, shape };
  const files = await renderExercise(defaultTemplates, input);
  return new Map(files.map(({ path, content }) => [path, content]));
}

test("an exercise on some engines has these files", async () => {
  expect([...(await render(["redis", "sqlite", "postgres"])).keys()]).toMatchSnapshot();
});

test("a server has these beside them", async () => {
  const library = await render(["redis"]);
  for (const shape of shapes.filter((each) => each !== "library")) {
    const more = [...(await render(["redis"], shape)).keys()].filter((path) => !library.has(path));
    expect(more, shape).toEqual([
      "grading/client.ts",
      "src/serve.ts",
      "starter/serve.ts",
      "variants/append-only/serve.ts",
    ]);
  }
});

test("an exercise on one engine holds nothing of the others", async () => {
  const files = await render(["sqlite"]);
  const paths = [...files.keys()];
  expect(paths).toContain("grading/01-sqlite.grade.ts");
  expect(paths.filter((path) => /postgres|redis/.test(path))).toEqual([]);
  for (const [path, content] of files) expect(content, path).not.toMatch(/postgres|redis/i);
});

test.each([
  "package.json",
  "kata.ts",
  "contract.ts",
  "DATABASE_DECISION_LOG.md",
  "README.md",
  "grading/01-redis.grade.ts",
  "grading/02-redis-killed.grade.ts",
  "mutants/in-memory/mutant.json",
  "mutants/swallowed-errors/mutant.json",
])("%s, for redis and sqlite", async (path) => {
  expect((await render(["redis", "sqlite"])).get(path)).toMatchSnapshot();
});

test.each(["http", "websocket"] as const)("what %s makes different", async (shape) => {
  const files = await render(["sqlite"], shape);
  for (const path of ["contract.ts", "grading/client.ts", "src/serve.ts", "starter/index.ts"])
    expect(files.get(path), path).toMatchSnapshot();
});

test.each(shapes)(
  "no template of %s leaves a gap, a brace or a blank engine behind",
  async (shape) => {
    for (const [path, content] of await render(everyEngine, shape)) {
      expect(`${path}\n${content}`).not.toMatch(
        /\{\{|\}\}(?!;?$)|\[object|&quot;|(?:name|title|engine)"?: ""/m,
      );
      expect(content.endsWith("\n"), `${path} ends with a line break`).toBe(true);
      expect(content, `${path} has no blank lines in a row`).not.toMatch(/\n\n\n/);
    }
  },
);

test("an engine named twice, or in another order, makes the same exercise", async () => {
  expect(await render(["redis", "postgres", "redis"])).toEqual(await render(["postgres", "redis"]));
});

test("titles become strings as the formatter writes them", () => {
  expect(stringLiteral("plain")).toBe('"plain"');
  expect(stringLiteral('a "b"')).toBe(`'a "b"'`);
  expect(stringLiteral(`it's "b"`)).toBe(`'it\\'s "b"'`);
  expect(stringLiteral(`it's`)).toBe(`"it's"`);
  expect(stringLiteral("back\\slash")).toBe('"back\\\\slash"');
});

test("a title is text in Markdown, whatever is in it", async () => {
  const input = { name: "odd", title: "*a* and <b>", engines: ["sqlite"], date };
  const files = await renderExercise(defaultTemplates, input);
  const readme = files.find(({ path }) => path === "README.md");
  expect(readme?.content.split("\n")[0]).toBe("# \\*a\\* and \\<b>");
});

test("drivers have the versions that the engines package runs on", async () => {
  const repo = join(import.meta.dirname, "..", "..");
  const manifest = async (path: string) =>
    JSON.parse(await readFile(join(repo, path), "utf8")) as Record<
      "dependencies" | "devDependencies",
      Record<string, string> | undefined
    >;
  const engines = await manifest("packages/engines/package.json");
  const root = await manifest("package.json");
  const workspace = await readFile(join(repo, "pnpm-workspace.yaml"), "utf8");
  const { catalog } = parse(workspace) as { catalog: Record<string, string> };
  const used = { ...root.devDependencies, ...engines.devDependencies, ...engines.dependencies };
  const rendered = (await render(everyEngine)).get("package.json") ?? "{}";
  const { dependencies, devDependencies } = JSON.parse(rendered);
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    if (version === "workspace:*") continue;
    const resolved = (said: unknown) => (said === "catalog:" ? catalog[name] : said);
    expect([name, resolved(version)]).toEqual([name, resolved(used[name])]);
  }
});
