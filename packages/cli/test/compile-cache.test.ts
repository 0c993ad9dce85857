import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openCompileCache } from "../src/compile-cache.ts";

test("a compile cache that has grown too large starts over, and a small one stays", async () => {
  const root = await mkdtemp(join(tmpdir(), "kata-cache-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const folder = join(root, "compile-cache");
  expect(await openCompileCache(folder, 3)).toBe(folder);
  await mkdir(join(folder, "v24-x64"), { recursive: true });
  for (const name of ["a", "b", "c"]) await writeFile(join(folder, "v24-x64", name), "");
  await openCompileCache(folder, 3);
  expect(await readdir(join(folder, "v24-x64"))).toHaveLength(3);
  await openCompileCache(folder, 2);
  expect(await readdir(root)).toEqual([]);
});
