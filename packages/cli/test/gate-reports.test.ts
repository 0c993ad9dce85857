import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { describeFailures, readReports } from "../src/gate-reports.ts";

/** A workspace of its own, and how a task leaves a report in it. */
async function workspace() {
  const root = await mkdtemp(join(tmpdir(), "kata-reports-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const leave = async (folder: string, name: string, report: object) => {
    const reports = join(root, folder, ".kata/report");
    await mkdir(reports, { recursive: true });
    await writeFile(join(reports, `${name}.json`), JSON.stringify(report));
  };
  return { root, leave };
}

const passed = { fullName: "is fine", status: "passed", failureMessages: [] };

it("adds up all reports, and says of each failure where it is and why", async () => {
  const { root, leave } = await workspace();
  const file = (name: string) => join(root, "packages/engines/test", name);
  const report = {
    numPassedTests: 3,
    numFailedTests: 1,
    numPendingTests: 2,
    snapshot: {
      uncheckedKeysByFile: [{ filePath: file("texts.test.ts"), keys: ["help 1", "help 2"] }],
    },
    testResults: [
      {
        name: file("leases.test.ts"),
        status: "failed",
        message: "",
        assertionResults: [
          passed,
          {
            fullName: "redis from container > one lease sees nothing of another",
            status: "failed",
            failureMessages: ["\u001b[31mError: no container\u001b[39m\n    at leases.test.ts:7"],
          },
        ],
      },
      {
        name: file("broken.test.ts"),
        status: "failed",
        message: "Cannot find module './gone.ts'",
        assertionResults: [],
      },
      { name: file("texts.test.ts"), status: "failed", message: "", assertionResults: [passed] },
      { name: file("fine.test.ts"), status: "passed", message: "", assertionResults: [passed] },
    ],
  };
  const verified = {
    passed: 2,
    failed: 1,
    skipped: 0,
    results: [
      { subject: "reference", holds: true, problems: [] },
      { subject: "mutant forgets", holds: false, problems: ["adds passed, though it must fail"] },
    ],
  };
  await leave("packages/engines", "vitest", report);
  await leave("projects/counter", "verify", verified);
  const { failures, ...counts } = await readReports(root);
  expect(counts).toEqual({ passed: 5, failed: 2, skipped: 2 });
  expect(describeFailures(failures)).toMatchInlineSnapshot(`
    "
    failed:
      projects/counter: mutant forgets
        adds passed, though it must fail
      packages/engines/test/leases.test.ts: redis from container > one lease sees nothing of another
        Error: no container
      packages/engines/test/broken.test.ts
        Cannot find module './gone.ts'
      packages/engines/test/texts.test.ts
        obsolete snapshots: help 1, help 2
    "
  `);
});

it("leaves what an attempt lost to its scorecard", async () => {
  const { root, leave } = await workspace();
  await leave("attempts/counter", "grade", { passed: 1, failed: 2, skipped: 0, scorecard: {} });
  expect(await readReports(root)).toEqual({ passed: 1, failed: 2, skipped: 0, failures: [] });
});

it("lists the first of many, and says nothing where nothing failed", () => {
  const many = Array.from({ length: 42 }, (_, i) => ({ what: `test ${i}`, why: "x".repeat(300) }));
  const lines = describeFailures(many).split("\n");
  expect(lines.at(-2)).toBe("  and 2 more");
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(250);
  expect(describeFailures([])).toBe("");
});
