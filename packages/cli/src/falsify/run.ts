import { readFile } from "node:fs/promises";
import {
  type Falsified,
  type Finding,
  falsify,
  type HistoryEntry,
  historyEntry,
  lastMeasured,
  type Results,
  setLastMeasured,
} from "@db-katas/measure";
import { MeasureError } from "@db-katas/measure/errors";
import { CliError } from "../errors.ts";
import { writeWhole } from "../results.ts";
import type { Session } from "../session.ts";
import { addToHistory, endRun, openRun } from "./archive.ts";
import { runChecks } from "./check.ts";
import type { Bound } from "./logs.ts";

/** Enough to see whether a claim can be measured, and what is about to come out. */
const QUICK_TURNS = 8;

export interface FalsifyRun extends Pick<Session, "engines" | "signal" | "compileCache"> {
  readonly size: HistoryEntry["size"];
  readonly seed: number;
  /** Whether the logs' `last-measured` lines are written. */
  readonly write: boolean;
  /** Told after each turn of an experiment, and each run of checks. */
  onTurn(bound: Bound, done: number, of: number): void;
  onOutcome(outcome: Outcome): void;
}

/** What became of one claim. */
export type Outcome =
  | { readonly bound: Bound; readonly finding: Finding; readonly results: readonly Results[] }
  | { readonly bound: Bound; readonly error: MeasureError | CliError };

/**
 * Puts claims to the test, one after the other: two at a time would measure each other. What a claim
 * comes to is kept before the next one begins; an experiment that crashes doesn't keep the others.
 * @throws the signal's reason
 */
export async function falsifyAll(claims: readonly Bound[], run: FalsifyRun): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const bound of claims) {
    const outcome = await falsifyOne(bound, run);
    outcomes.push(outcome);
    run.onOutcome(outcome);
  }
  // What crashed goes on where it was, with turns that are good.
  if (!outcomes.some((outcome) => "error" in outcome)) {
    for (const kata of new Set(claims.map(({ kata }) => kata))) {
      await endRun(kata, run.size, new Date());
    }
  }
  return outcomes;
}

async function falsifyOne(bound: Bound, run: FalsifyRun): Promise<Outcome> {
  try {
    const { finding, results } = await test(bound, run);
    await keep(bound, finding, run);
    return { bound, finding, results };
  } catch (error) {
    if (run.signal.aborted) throw run.signal.reason;
    if (error instanceof MeasureError || error instanceof CliError) return { bound, error };
    throw error;
  }
}

async function test(bound: Bound, run: FalsifyRun): Promise<Falsified> {
  const onTurn = (done: number, of: number) => run.onTurn(bound, done, of);
  if ("rubric" in bound) {
    return { finding: await runChecks(bound, { ...run, onRun: onTurn }), results: [] };
  }
  if (!("experiment" in bound)) {
    const { id, outside } = bound.claim.fields;
    return {
      finding: { id, verdict: "not run", needs: `to be run by itself: ${outside}` },
      results: [],
    };
  }
  const { engines, signal, size, seed } = run;
  return falsify(bound.claim, bound.experiment, {
    log: bound.log.label,
    engines,
    journal: await openRun(bound.kata, size),
    size,
    seed,
    signal,
    ...(size === "quick" ? { turns: quickTurns(bound.experiment.definition.turns) } : {}),
    onTurn,
  });
}

/** What was not run leaves log and history as they are: an older figure says more. */
async function keep({ kata, log }: Bound, finding: Finding, run: FalsifyRun): Promise<void> {
  const now = new Date();
  const entry = historyEntry(finding, run.size, now);
  if (!entry) return;
  await addToHistory(kata, entry);
  if (!run.write) return;
  const date = now.toISOString().slice(0, 10);
  const before = await readFile(log.file, "utf8");
  const line = new Map([[finding.id, lastMeasured(finding, date)]]);
  await writeWhole(log.file, setLastMeasured(before, line));
}

function quickTurns(turns = QUICK_TURNS): number {
  return Math.min(turns, QUICK_TURNS);
}
