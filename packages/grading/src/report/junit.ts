import { create } from "xmlbuilder2";
import { type CheckResult, countOf, type Scorecard } from "./scorecard.ts";
import { formatFailure, plainPaint } from "./text.ts";

/**
 * The XML that CI servers read. Nobody owns the format; this keeps to the elements and attributes
 * that Jenkins's xunit schema and GitLab both name (github.com/jenkinsci/xunit-plugin, junit-10.xsd).
 * Ours and the submission's breaking are `error`, a wrong answer is `failure`.
 */
export function junit(scorecard: Scorecard): string {
  const { checks, kata, submission } = scorecard;
  const errors = checks.filter(isError).length;
  const totals = {
    tests: checks.length,
    failures: countOf(scorecard).failed - errors,
    errors,
    skipped: countOf(scorecard).skipped,
    time: seconds(scorecard.durationMs),
  };
  const root = create({ version: "1.0", encoding: "UTF-8", invalidCharReplacement: "" }).ele(
    "testsuites",
    { name: `${kata} · ${submission}`, ...totals, skipped: undefined },
  );
  const suite = root.ele("testsuite", {
    name: kata,
    ...totals,
    timestamp: scorecard.startedAt.replace(/\.\d+Z$/, ""),
  });
  const properties = suite.ele("properties");
  const facts: [string, string | number][] = [
    ["submission", submission],
    ["seed", scorecard.seed],
    ["points", `${scorecard.points.earned} of ${scorecard.points.possible}`],
    ...scorecard.engines.map(({ name, version, provider }): [string, string] => [
      `engine.${name}`,
      `${version} (${provider})`,
    ]),
  ];
  for (const [name, value] of facts) properties.ele("property", { name, value });
  for (const check of checks) {
    const test = suite.ele("testcase", {
      classname: kata,
      name: `${check.id}: ${check.title}`,
      time: seconds(check.durationMs),
    });
    if (check.verdict === "passed") continue;
    if (check.verdict === "skipped" || check.verdict === "not graded") {
      test.ele("skipped", { message: `${check.verdict}: ${check.reason ?? ""}` });
      continue;
    }
    test
      .ele(isError(check) ? "error" : "failure", {
        type: check.verdict,
        message: check.failure?.message ?? check.verdict,
      })
      .txt(formatFailure(check, plainPaint));
    if (check.failure?.engineLog) test.ele("system-out").txt(check.failure.engineLog);
    if (check.failure?.stderr) test.ele("system-err").txt(check.failure.stderr);
  }
  return `${root.end({ prettyPrint: true })}\n`;
}

function isError({ verdict }: CheckResult): boolean {
  return verdict === "crashed" || verdict === "timed out" || verdict === "error";
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(3);
}
