/** Mutants as patches on the reference solution. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { openEngines } from "@db-katas/engines";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { type Kata, loadKata, loadRubric, verify } from "../src/index.ts";
import type { Mutant } from "../src/verify/manifest.ts";
import { composeMutant } from "../src/verify/overlay.ts";

const COUNTER = join(import.meta.dirname, "fixtures", "counter");
/** As if three lines had been added above since it was made. */
const MOVED = `diff --git a/src/index.ts b/src/index.ts
--- a/src/index.ts
+++ b/src/index.ts
@@ -1,5 +1,5 @@
   async createNode({ start }) {
     let value = start;
-    return { add: async (amount) => (value += amount) };
+    return { add: async (amount) => (value -= amount) };
   },
 } satisfies Submission;
`;

const OF_VARIANT = `diff --git a/variants/other/index.ts b/variants/other/index.ts
--- a/variants/other/index.ts
+++ b/variants/other/index.ts
@@ -5,5 +5,5 @@
     const amounts = [start];
     return {
       async add(amount) {
-        amounts.push(amount);
+        amounts.push(-amount);
         return amounts.reduce((sum, one) => sum + one);
`;

let kata: Kata;
beforeAll(async () => {
  kata = await loadKata(COUNTER);
});

async function mutantOf(patch: string): Promise<Mutant> {
  const folder = await mkdtemp(join(tmpdir(), "kata-patch-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "change.patch"), patch);
  const why = "One key beside the other, on many keyboards.";
  return { name: "patched", folder, trap: "sign", why, must: ["adds"], may: [] };
}

it("fits where its lines have moved, and leaves the reference alone", async () => {
  const composed = await composeMutant(kata, await mutantOf(MOVED));
  expect(await readFile(composed.entry, "utf8")).toContain("value -= amount");
  expect(await readFile(join(COUNTER, "src", "index.ts"), "utf8")).toContain("value += amount");
  expect(dirname(composed.entry)).toContain(join(".kata", "mutants", "patched-"));
});

it("may be for a variant, whose imports then mean what they did", async () => {
  const mutant = { ...(await mutantOf(OF_VARIANT)), of: "other" };
  const composed = await composeMutant(kata, mutant);
  expect(composed.entry).toBe(join(composed.folder, "variants", "other", "index.ts"));
  expect(await readFile(composed.entry, "utf8")).toContain("amounts.push(-amount)");
  expect(await readFile(composed.entry, "utf8")).toContain('from "../../contract.ts"');
  await expect(composeMutant(kata, await mutantOf(OF_VARIANT))).rejects.toThrow(
    "which is not in src/",
  );
  const stale = { ...(await mutantOf(OF_VARIANT.replaceAll("start", "begin"))), of: "other" };
  await expect(composeMutant(kata, stale)).rejects.toThrow(
    /does not fit variants\/other.*git diff --relative -- variants\/other > /s,
  );
});

it.each([
  ["lines that are no longer there", MOVED.replaceAll("value", "total")],
  ["a file that is no longer there", MOVED.replaceAll("index.ts", "counter.ts")],
  ["a file that is none of the reference's", MOVED.replaceAll("src/", "../src/")],
  ["a file that is made", MOVED.replace("--- a/src/index.ts", "--- /dev/null")],
  ["no patch", "Subtract instead.\n"],
  ["a broken patch", MOVED.replace("   },\n", "")],
])("says what to do about %s", async (_, patch) => {
  const mutant = await mutantOf(patch);
  const error = await composeMutant(kata, mutant).catch((thrown: Error) => thrown);
  const text = (error as Error).message
    .replaceAll(/\S*kata-patch-\w+/g, "mutants/patched")
    .replaceAll(COUNTER, "<exercise>");
  expect(text).toMatchSnapshot();
});

it("is the problem of that mutant alone", async () => {
  const mutant = await mutantOf(MOVED.replaceAll("value", "total"));
  await using engines = await openEngines();
  const rubric = await loadRubric(kata);
  const { results } = await verify({
    kata,
    rubric,
    engines,
    seed: 7,
    types: false,
    choose: (all) =>
      all.flatMap((subject) => {
        if (subject.name === "reference") return subject;
        if (subject.name !== "stuck") return [];
        return { ...subject, mutant, open: () => composeMutant(kata, mutant) };
      }),
  });
  expect(results.map(({ subject, holds }) => ({ subject, holds }))).toEqual([
    { subject: "coverage", holds: true },
    { subject: "reference", holds: true },
    { subject: "mutant stuck", holds: false },
  ]);
  expect(results.at(-1)?.problems[0]).toContain("does not fit the reference solution");
});

it("is named where mutants are type-checked, too: what can't be made says nothing of its types", async () => {
  // Beside the fixture it is a copy of: both import by relative paths.
  const folder = await mkdtemp(join(dirname(COUNTER), "stale-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(COUNTER, folder, { recursive: true, filter: (path) => basename(path) !== ".kata" });
  const mutant = join(folder, "mutants", "moved-on");
  await mkdir(mutant);
  await writeFile(join(mutant, "change.patch"), MOVED.replaceAll("value", "total"));
  const manifest = { trap: "sign", why: "One key beside the other.", must: ["adds"] };
  await writeFile(join(mutant, "mutant.json"), JSON.stringify(manifest));

  await using engines = await openEngines();
  const stale = await loadKata(folder);
  const rubric = await loadRubric(stale);
  const verification = { kata: stale, rubric, engines, seed: 7 };
  const { results } = await verify({ ...verification, choose: () => [] });
  const types = results.find(({ subject }) => subject === "types");
  expect(types?.holds).toBe(false);
  expect(types?.problems.map((each) => each.replaceAll(folder, "<exercise>"))).toMatchSnapshot();
});
