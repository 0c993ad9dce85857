/** Client libraries that app nodes are given as one file each while an exercise is verified. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openEngines } from "@db-katas/engines";
import { expect, it, onTestFinished } from "vitest";
import { checksFor, findSubmission, grade, loadKata } from "../src/index.ts";
import { bundleLibraries } from "../src/verify/bundle.ts";

interface Located {
  createNode(config: unknown): Promise<{ sum(): Promise<number>; where(): Promise<string> }>;
}

const FILES = {
  "kata.ts": `export default {
    title: "Located", summary: "", guideSection: "none", level: "introductory", minutes: 1,
    concepts: [], engines: {}, bundled: ["located"],
    limits: { memoryMb: 64, callMs: 1_000, checkMs: 3_000 },
  };`,
  "node_modules/located/package.json": `{ "name": "located", "main": "lib/index.js" }`,
  "node_modules/located/lib/index.js": `exports.add = require("./add.js"); exports.one = 1;`,
  "node_modules/located/lib/add.js": `module.exports = function add(a, b) {
    add.calledIn = new Error("here").stack; return a + b; };`,
  "src/index.ts": `import located, { add, one } from "located";
    export default { async createNode() {
      return {
        sum: async () => add(one, located.one),
        where: async () => (add(1, 1), add.calledIn),
      };
    } };`,
};

it("is loaded from there in a verification, and as it is installed in a grade", async () => {
  const folder = await mkdtemp(join(tmpdir(), "kata-bundle-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const kata = await loadKata(folder);
  const submission = await findSubmission(join(folder, "src"), "reference");
  await using engines = await openEngines();
  const whereWith = async (resolutions?: string) => {
    let where = "";
    const check = checksFor<Located>({})({
      title: "tells where it runs",
      points: 1,
      concept: "none",
      traps: [],
      engines: {},
      nodes: ["a"],
      hints: [],
      async run(t) {
        const node = await t.start("a", {});
        t.equal(await node.sum(), 2, "names and default are the library's");
        where = await node.where();
      },
    });
    const rubric = [{ ...check, id: "where", file: join(folder, "01-where.grade.ts") }];
    const options = { kata, rubric, submission, engines, seed: 1, target: "located" };
    const { checks } = await grade({ ...options, ...(resolutions ? { resolutions } : {}) });
    expect(checks.map(({ verdict, failure }) => failure?.message ?? verdict)).toEqual(["passed"]);
    return where;
  };

  const resolutions = join(folder, "resolutions.json");
  await bundleLibraries(kata, resolutions);
  expect(await whereWith(resolutions)).toMatch(/\.kata\/bundled-\w+\/located\.mjs/);
  expect(await whereWith()).toContain(join("node_modules", "located", "lib", "add.js"));

  const made = () => readdir(join(folder, ".kata"));
  const before = await made();
  await bundleLibraries(kata, resolutions);
  expect(await made()).toEqual(before);
});
