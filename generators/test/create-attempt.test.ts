import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { createAttempt } from "../src/create-attempt.ts";

/** A workspace with one exercise, of these files. */
async function workspaceWith(files: Readonly<Record<string, string>>) {
  const root = await mkdtemp(join(tmpdir(), "attempt-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const all = { "package.json": "{}", "docs/guide.md": "# A guide\n", ...files };
  for (const [path, text] of Object.entries(all)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

it("an attempt has what its code needs, and neither its author's tools nor crooked links", async () => {
  const manifest = {
    name: "@db-katas/board",
    dependencies: { pg: "8.23.1", ws: "8.23.0" },
    devDependencies: {
      "@db-katas/grading": "workspace:*",
      "@types/d3-array": "3.2.1",
      "@types/node": "24.19.2",
      "@types/pg": "8.23.1",
      "playwright-core": "1.65.1",
      typescript: "7.0.2",
      vitest: "5.1.1",
    },
  };
  const root = await workspaceWith({
    "projects/board/package.json": JSON.stringify(manifest),
    "projects/board/README.md":
      "[guide](../../docs/guide.md#first), [types](contract.ts), [gone](nowhere.md)\n",
    "projects/board/contract.ts": "export type Board = object;\n",
    "projects/board/starter/index.ts": "export default {};\n",
  });
  const exercise = join(root, "projects/board");
  const folder = await createAttempt({ name: "board", exercise, root });
  const made = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  expect(made).toMatchObject({ name: "@attempts/board", dependencies: manifest.dependencies });
  expect(Object.keys(made.devDependencies)).toEqual([
    ...["@db-katas/cli", "@types/node", "@types/pg", "typescript"],
  ]);
  expect(await readFile(join(folder, "README.md"), "utf8")).toBe(
    "[guide](../../docs/guide.md#first), [types](contract.ts), gone\n",
  );
});
