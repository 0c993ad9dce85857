import { waitsForTask } from "../report/measured.ts";
import type { CheckResult } from "../report/scorecard.ts";
import type { Rubric } from "../rubric.ts";
import { NOT_LOADED } from "../run/preflight.ts";
import type { Mutant } from "./manifest.ts";
import type { Subject } from "./subjects.ts";

/** A crash or a time-out counts as caught as well: a wrong answer may take its node with it. */
const CAUGHT: readonly CheckResult["verdict"][] = ["failed", "crashed", "timed out"];

export function isCaught(verdict: CheckResult["verdict"]): boolean {
  return CAUGHT.includes(verdict);
}

/** Whether a check has to fail a subject, has to pass it, or may do either. */
export function expected({ kind, mutant }: Subject, check: string): "fail" | "pass" | "either" {
  if (kind === "starter") return "fail";
  if (mutant?.must.includes(check)) return "fail";
  return mutant?.may.includes(check) ? "either" : "pass";
}

/**
 * What a check said of a subject against what it has to say. Checks that were not graded, or were
 * skipped because of another, say nothing; one that must fail has to be run.
 * @returns what is wrong; undefined when it came out as it has to
 */
export function deviation(subject: Subject, check: CheckResult): string | undefined {
  const { verdict } = check;
  const should = expected(subject, check.id);
  const { mutant } = subject;
  if (verdict === "not graded") return undefined;
  if (verdict === "error" || check.failure?.message.startsWith(NOT_LOADED)) return problemOf(check);
  if (verdict === "skipped") {
    const excused = subject.kind === "starter" || (mutant && should !== "fail");
    return excused ? undefined : problemOf(check);
  }
  if (subject.kind === "starter") return starterDeviation(check);
  if (should === "fail") {
    return isCaught(verdict) ? undefined : `${check.id} ${verdict}, though it must fail`;
  }
  if (should === "either" || !isCaught(verdict)) return undefined;
  return mutant ? `${problemOf(check)}, though it neither must nor may fail` : problemOf(check);
}

function starterDeviation(check: CheckResult): string | undefined {
  if (check.verdict !== "failed") return problemOf(check);
  return waitsForTask(check)
    ? undefined
    : `${check.id} fails without naming a task: ${check.failure?.message}`;
}

/** Checks that no mutant must fail, and traps that none falls into. */
export function gaps(rubric: Rubric, mutants: readonly Mutant[]): string[] {
  if (rubric.length === 0) {
    return ["there is no check yet: write grading/01-<id>.grade.ts, and a mutant that fails it"];
  }
  const killed = new Set(mutants.flatMap((mutant) => mutant.must));
  const traps = new Set(mutants.map((mutant) => mutant.trap));
  return [
    ...rubric
      .filter((check) => !killed.has(check.id))
      .map((check) => `no mutant must fail ${check.id}: nothing shows that it can fail`),
    ...rubric
      .flatMap((check) => check.traps ?? [])
      .filter((trap) => !traps.has(trap))
      .map((trap) => `no mutant falls into the trap ${trap}`),
  ];
}

function problemOf(check: CheckResult): string {
  const { failure } = check;
  const versus = failure?.expected
    ? ` (expected ${failure.expected}, received ${failure.received})`
    : "";
  return `${check.id} ${check.verdict}: ${failure?.message ?? check.reason ?? ""}${versus}; again: ${check.replay}`;
}
