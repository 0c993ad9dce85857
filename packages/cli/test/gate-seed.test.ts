import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";
import { gateSeed } from "../src/gate-seed.ts";

it("a gate's seed is of the commit, the same twice, and KATA_SEED goes first", async () => {
  const root = await mkdtemp(join(tmpdir(), "kata-seed-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const git = (...args: string[]) => promisify(execFile)("git", ["-C", root, ...args]);
  const commit = async (message: string) => {
    const author = ["-c", "user.name=Test", "-c", "user.email=test@localhost"];
    await git(...author, "commit", "--quiet", "--allow-empty", "--message", message);
    return gateSeed(root, undefined);
  };
  await git("init", "--quiet");
  expect(await gateSeed(root, undefined)).toMatchObject({ seed: 1 });
  const first = await commit("one");
  const second = await commit("two");
  expect(await gateSeed(root, "")).toEqual(second);
  expect(second.seed).not.toBe(first.seed);
  for (const { seed } of [first, second]) {
    expect(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31).toBe(true);
  }
  expect(await gateSeed(root, "42")).toEqual({ seed: 42, from: "KATA_SEED" });
  await expect(gateSeed(root, "x")).rejects.toThrow("A seed is a whole number");
});
