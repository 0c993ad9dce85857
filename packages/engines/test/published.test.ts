import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

// Definitions read what lies beside them: what pip and Maven are asked for, programs, the pinned image.
test("what is published has all that lies beside the definitions, and no tests", async () => {
  const run = promisify(execFile);
  await run("npm", ["run", "build"], { cwd: root });
  const pack = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const { stdout } = await run("npm", pack, { cwd: root });
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  const published = files.map(({ path }) => path);
  const sources = await readdir(join(root, "src"), { recursive: true, withFileTypes: true });
  const beside = sources
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".ts"))
    .map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1))
    .map((path) => path.replace(/^src/, "dist"));
  expect(beside).toEqual(
    expect.arrayContaining([
      "dist/definitions/chroma/Dockerfile",
      "dist/definitions/chroma/chromadb.txt",
      "dist/definitions/clickhouse/front.py",
      "dist/definitions/kafka/pom.xml",
      "dist/definitions/mongodb/stand-in.bsh",
    ]),
  );
  expect(published).toEqual(expect.arrayContaining(beside));
  expect(published.filter((path) => /^(src|test|bench|soak)\//.test(path))).toEqual([]);
});
