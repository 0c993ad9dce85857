/** What each generator makes is real: it type-checks, lints, verifies, conforms, and can be falsified. */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createExercise } from "../src/create-exercise.ts";
import { createLinkedWorkspace } from "../src/linked-workspace.ts";
import { bin, make, repo, run } from "./workspace.ts";

const lint = (root: string, ...paths: string[]) =>
  run(root, bin("biome"), "check", "--vcs-enabled=false", "--error-on-warnings", ...paths);

test("a check, a mutant, a variant and a claim are proven from the first minute", async () => {
  await using workspace = await createLinkedWorkspace(repo);
  const { root } = workspace;
  const kata = "note-book";
  await createExercise({ name: kata, title: "Notes", engines: ["sqlite"], into: root });
  await make(root, "check", {
    kata,
    id: "no-lost-note",
    title: `a note that "is" put, isn't lost`,
  });
  await make(root, "mutant", { kata, name: "forgetful", must: ["sqlite"] });
  await make(root, "variant", { kata, name: "another" });
  await make(root, "claim", { kata, id: "notes-stay", check: "no-lost-note" });
  await workspace.install();
  await run(root, bin("tsc"), "-p", `projects/${kata}`);
  await lint(root, "projects");

  const cli = join(repo, "packages", "cli", "src", "main.ts");
  const output = await run(root, process.execPath, cli, "verify", kata, "--all-variants", "--json");
  const { results } = JSON.parse(output) as { results: { subject: string; problems: string[] }[] };
  expect(results.map(({ subject, problems }) => [subject, problems])).toEqual([
    ["coverage", []],
    ["types", []],
    ["reference", []],
    ["starter", []],
    ["variant another", []],
    ["variant append-only", []],
    ["mutant against-no-lost-note", []],
    ["mutant forgetful", []],
    ["mutant in-memory", []],
  ]);

  const found = await run(root, process.execPath, cli, "falsify", kata, "--quick", "--json");
  const { claims } = JSON.parse(found) as {
    claims: { id: string; finding: { verdict: string } }[];
  };
  expect(claims.map(({ id, finding }) => [id, finding.verdict])).toEqual([
    ["notes-stay", "held"],
    ["no-note-is-lost", "held"],
  ]);
}, 180_000);

/** A fault's scenario is added to a file of the clone: what tries it is a copy. */
test("an engine conforms, also when the fault that was made hits it", async () => {
  const root = await mkdtemp(join(tmpdir(), "kata-clone-"));
  const engines = join(root, "packages", "engines");
  try {
    await mkdir(engines, { recursive: true });
    for (const path of ["package.json", "tsconfig.json", "src", "test/definitions"]) {
      await cp(join(repo, "packages/engines", path), join(engines, path), { recursive: true });
    }
    for (const file of ["tsconfig.base.json", "biome.json"]) {
      await cp(join(repo, file), join(root, file));
    }
    for (const folder of ["node_modules", "packages/engines/node_modules"]) {
      await symlink(join(repo, folder), join(root, folder));
    }
    await make(root, "engine", { name: "cupboard", title: "Cupboard" });
    await make(root, "fault", { name: "slowDisk", summary: "the disk is slow" });
    await make(root, "fault", { name: "coldCache", like: "kill" });
    await run(engines, bin("tsc"), "-p", ".");
    await lint(root, "packages/engines/src");

    const suite = [
      'import { describeEngine } from "../src/conformance/index.ts";',
      'const env = { ...process.env, KATA_ENGINES: "process" };',
      'await describeEngine("cupboard", { env });',
    ];
    await writeFile(join(engines, "test", "cupboard.test.ts"), suite.join("\n"));
    await run(engines, bin("vitest"), "run", "--reporter=json", "--outputFile=report.json");
    const report = JSON.parse(await readFile(join(engines, "report.json"), "utf8")) as {
      testResults: { assertionResults: { title: string; status: string }[] }[];
    };
    const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
    const statusOf = (fault: string) => results.find(({ title }) => title.includes(fault))?.status;
    expect(results.filter(({ status }) => status === "failed")).toEqual([]);
    expect([statusOf("slowDisk"), statusOf("coldCache")]).toEqual(["passed", "passed"]);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}, 180_000);
