import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { runKata } from "./run-kata.ts";

const GRADING = join(import.meta.dirname, "..", "..", "grading");

it("kata verify --draw, in a workspace of npm, with a reference that is wrong", async () => {
  const folder = await mkdtemp(join(tmpdir(), "kata-verify-"));
  onTestFinished(() => rm(folder, { recursive: true, maxRetries: 3 }));
  // As far from the exercise as what it imports is where it comes from.
  await symlink(join(GRADING, "src"), join(folder, "src"));
  const root = join(folder, "workspace");
  const exercise = join(root, "projects", "counter");
  await cp(join(GRADING, "test", "fixtures", "counter"), exercise, { recursive: true });
  // It is right, and would be a problem of its own.
  await rm(join(exercise, "mutants", "blameless"), { recursive: true });
  await rm(join(exercise, ".kata"), { recursive: true, force: true });
  await writeFile(join(root, "package.json"), '{ "workspaces": ["projects/*"] }\n');
  const index = join(exercise, "src", "index.ts");
  const text = await readFile(index, "utf8");
  await writeFile(index, text.replace("+= amount", "-= amount"));
  expect(await readFile(index, "utf8")).not.toBe(text);

  const args = ["verify", "counter", "--draw", "--seed", "7"];
  const { code, stdout } = await runKata(args, { cwd: root });
  const report = await readFile(join(exercise, ".kata", "report", "verify.json"), "utf8");
  expect(report).toContain("again: npx kata grade counter --reference --check adds --seed 7");
  expect(`${report}${stdout}`).not.toContain("pnpm");
  expect(code).toBe(1);
  const { seed, results, notDrawn } = JSON.parse(report);
  expect(seed).toBe(7);
  const graded = (results as { subject: string }[]).map(({ subject }) => subject);
  const mutants = ["mutant forgets", "mutant stuck"];
  expect([...notDrawn, ...graded.filter((name) => mutants.includes(name))].sort()).toEqual(mutants);
  expect(stdout.includes("not drawn by this seed")).toBe(notDrawn.length > 0);
});
