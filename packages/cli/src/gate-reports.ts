import { glob, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { z } from "zod";

/** What the tasks of a gate leave behind, seen from the workspace's root. */
export const REPORTS = [
  "{packages,projects,attempts}/*/.kata/report/*.json",
  "{generators,docs/errata}/.kata/report/*.json",
];

export interface Failure {
  /** A test file or a package's folder, from the workspace's root, and the test. */
  readonly what: string;
  /** The first line of what was said. */
  readonly why: string;
}

export interface GateTotal {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Of tests and verified graders. What an attempt lost is in its scorecard. */
  readonly failures: readonly Failure[];
}

/** Of vitest's JSON reporter, what is read here. */
const vitestReport = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  snapshot: z.object({
    uncheckedKeysByFile: z.array(z.object({ filePath: z.string(), keys: z.array(z.string()) })),
  }),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string(),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
});

/** Of `kata verify` and `kata grade`; the latter has no results, but a scorecard. */
const ownReport = z.object({
  passed: z.number(),
  failed: z.number(),
  skipped: z.number(),
  results: z
    .array(
      z.object({
        subject: z.string(),
        holds: z.boolean().optional(),
        problems: z.array(z.string()).optional(),
      }),
    )
    .optional(),
});

/** Adds up every report that the tasks left, vitest's and our own. */
export async function readReports(root: string): Promise<GateTotal> {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const failures: Failure[] = [];
  for await (const file of glob(REPORTS, { cwd: root })) {
    const report: unknown = JSON.parse(await readFile(join(root, file), "utf8"));
    const own = ownReport.safeParse(report);
    if (own.success) {
      const { passed, failed, skipped, results = [] } = own.data;
      add({ passed, failed, skipped });
      const folder = file.split(sep).slice(0, -3).join("/");
      for (const { subject, holds, problems = [] } of results)
        if (holds === false) failures.push(failure(`${folder}: ${subject}`, problems.join("; ")));
      continue;
    }
    const tests = vitestReport.parse(report);
    add({
      passed: tests.numPassedTests,
      failed: tests.numFailedTests,
      skipped: tests.numPendingTests,
    });
    failures.push(...failuresOf(tests, root));
  }
  return { ...total, failures };

  function add({ passed, failed, skipped }: Omit<GateTotal, "failures">) {
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
}

function failuresOf(
  { testResults, snapshot }: z.infer<typeof vitestReport>,
  root: string,
): Failure[] {
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(root, name).split(sep).join("/");
    const tests = assertionResults.filter((each) => each.status === "failed");
    // A file that can't be loaded, or whose hooks fail, has no test that failed; nor has one with snapshots
    // that are obsolete, which only CI takes for a failure.
    if (tests.length === 0 && status === "failed") {
      const obsolete = snapshot.uncheckedKeysByFile.find(({ filePath }) => filePath === name);
      return [failure(file, message || `obsolete snapshots: ${obsolete?.keys.join(", ")}`)];
    }
    return tests.map(({ fullName, failureMessages }) =>
      failure(`${file}: ${fullName}`, failureMessages?.join("\n") ?? ""),
    );
  });
}

function failure(what: string, said: string): Failure {
  const [why = ""] = stripVTControlCharacters(said).trim().split("\n");
  return { what, why };
}

/** How many failures are listed; who has more looks at the first ones first. */
const MOST = 40;
/** Characters of a reason. */
const WIDTH = 240;

/** For the end of a long output: what failed, a line or two each; empty where nothing did. */
export function describeFailures(failures: readonly Failure[]): string {
  if (failures.length === 0) return "";
  const lines = failures
    .slice(0, MOST)
    .map(({ what, why }) => `  ${what}${why && `\n    ${shortened(why)}`}\n`);
  const rest = failures.length - lines.length;
  return `\nfailed:\n${lines.join("")}${rest > 0 ? `  and ${rest} more\n` : ""}`;
}

function shortened(text: string): string {
  return text.length > WIDTH ? `${text.slice(0, WIDTH - 1)}…` : text;
}
