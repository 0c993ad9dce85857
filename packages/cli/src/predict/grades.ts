/** What became of an attempt from grade to grade. */
import { join, sep } from "node:path";
import { type CheckResult, isMeasured, type Scorecard, type Submission } from "@db-katas/grading";
import { z } from "zod";
import type { Workspace } from "../workspace.ts";
import { addLine, readLines } from "./lines.ts";

/** Characters of what the grader saw: enough to recognize it. */
const MOST = 400;

const gradeSchema = z.object({
  /** When it began. */
  at: z.iso.datetime(),
  /** Of the code. */
  fingerprint: z.string(),
  seed: z.int(),
  /** Only those that put an answer to the test. */
  checks: z.array(
    z.object({
      id: z.string(),
      verdict: z.enum(["passed", "failed", "timed out", "crashed"]),
      saw: z
        .object({
          message: z.string(),
          expected: z.string().optional(),
          received: z.string().optional(),
        })
        .optional(),
    }),
  ),
});

export type Grade = Readonly<z.infer<typeof gradeSchema>>;
export type GradedCheck = Grade["checks"][number];

/** The folder of a submission that is somebody's attempt; undefined for what ships with an exercise. */
export function attemptFolder({ root }: Workspace, { folder }: Submission): string | undefined {
  return folder.startsWith(join(root, "attempts") + sep) ? folder : undefined;
}

function fileOf(attempt: string): string {
  return join(attempt, ".kata", "grades.jsonl");
}

/** Adds a grade to an attempt's history. Where nothing met an answer, there is nothing to add. */
export async function recordGrade(
  attempt: string,
  fingerprint: string,
  { startedAt, seed, checks }: Scorecard,
): Promise<void> {
  const measured = checks.filter(isMeasured).map(({ id, verdict, failure }) => ({
    id,
    verdict,
    ...(failure && { saw: sawOf(failure) }),
  }));
  if (measured.length === 0) return;
  await addLine(fileOf(attempt), { at: startedAt, fingerprint, seed, checks: measured });
}

/** In the order in which they were made. */
export function readGrades(attempt: string): Promise<Grade[]> {
  return readLines(fileOf(attempt), gradeSchema);
}

function sawOf({ message, expected, received }: NonNullable<CheckResult["failure"]>) {
  const short = (text: string) => (text.length > MOST ? `${text.slice(0, MOST)}…` : text);
  return {
    message: short(message),
    ...(expected !== undefined && { expected: short(expected) }),
    ...(received !== undefined && { received: short(received) }),
  };
}
