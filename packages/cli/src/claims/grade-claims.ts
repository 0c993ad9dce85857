import { readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { EngineError } from "@db-katas/engines";
import { exitCodes, terminalPaint } from "@db-katas/grading";
import {
  formatPredicate,
  type MeasuredClaim,
  MeasureError,
  parseLog,
  proveClaim,
} from "@db-katas/measure";
import { claimInvalid } from "@db-katas/measure/errors";
import { CliError } from "../errors.ts";
import type { Progress } from "../output.ts";
import type { Session } from "../session.ts";
import type { Target, Workspace } from "../workspace.ts";
import { formatGraded, formatPoints, type Graded, type Outcome, pointsOf } from "./text.ts";

const LOG = "DATABASE_DECISION_LOG.md";

export interface GradeClaimsOptions {
  readonly seed: number;
  readonly json?: boolean | undefined;
}

/**
 * Grades the claims of an attempt's own decision log, one after the other, until as many are proven as
 * the exercise asks for.
 * @returns the exit code, as of a grade
 * @throws CliError `CLAIMS_NOT_ASKED`
 * @throws MeasureError `CLAIM_INVALID` for a log that can't be read
 */
export async function gradeClaims(
  { root }: Workspace,
  { kata, submission }: Target,
  { seed, json }: GradeClaimsOptions,
  { engines, signal }: Session,
  progress: Progress,
): Promise<number> {
  const asked = kata.definition.claims;
  if (!asked) {
    throw new CliError("CLAIMS_NOT_ASKED", `${kata.name} asks for no claims of yours.`, {
      remedy: `pnpm kata falsify ${kata.name}   (for those of the reference)`,
    });
  }
  const { count, delayMs } = asked;
  const folder = dirname(submission.entry);
  const log = relative(root, join(folder, LOG));
  const claims = await readClaims(join(folder, LOG), log);
  progress.line(terminalPaint("bold", `${kata.name} · ${submission.label} · claims`));
  using _stop = { [Symbol.dispose]: () => progress.stop() };
  const graded: Graded[] = [];
  const said = new Map<string, string>();
  for (const claim of claims) {
    const { id, experiment } = claim.fields;
    const options = { engines, signal, seed, log, delayMs };
    const file = join(folder, "experiments", `${experiment}.experiment.ts`);
    const onTurn = (done: number, of: number) => progress.update(`${id}: turn ${done} of ${of}`);
    const from = performance.now();
    const what = `${experiment}: ${formatPredicate(claim.predicate)}`;
    const before = said.get(what);
    const outcome = before
      ? { wrong: `It says the same as ${before}.` }
      : await outcomeOf(() => proveClaim(claim, file, { ...options, onTurn }));
    said.set(what, id);
    const proven = "proof" in outcome && outcome.proof.proven;
    const one = { id, points: asked.points, earned: proven ? asked.points : 0, outcome };
    graded.push({ ...one, durationMs: performance.now() - from });
    progress.line(formatGraded(graded.at(-1) as Graded, delayMs, terminalPaint));
    if (graded.filter(({ earned }) => earned > 0).length === count) break;
  }
  progress.stop();
  const points = pointsOf(graded, asked);
  if (json) {
    const all = { kata: kata.name, submission: submission.label, seed, points, claims: graded };
    process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
  } else {
    progress.line(formatPoints(graded, asked, log));
  }
  if (points.earned === points.possible) return exitCodes.fullMarks;
  const isNoneTried = graded.length > 0 && graded.every(({ outcome }) => "needs" in outcome);
  return isNoneTried ? exitCodes.nothingGraded : exitCodes.lostPoints;
}

/** Claims about what is measured: checks and commands are the exercise's own to run. */
async function readClaims(file: string, label: string): Promise<MeasuredClaim[]> {
  const { claims, problems } = parseLog(await readFile(file, "utf8").catch(() => ""));
  if (problems.length > 0) throw claimInvalid(label, problems);
  return claims.filter((claim) => claim.kind === "measured");
}

async function outcomeOf(prove: () => ReturnType<typeof proveClaim>): Promise<Outcome> {
  try {
    return { proof: await prove() };
  } catch (error) {
    if (error instanceof MeasureError) return { wrong: error.message };
    if (error instanceof EngineError) return { needs: error.message };
    throw error;
  }
}
