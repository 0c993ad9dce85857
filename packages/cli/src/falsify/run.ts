import { readFile } from "node:fs/promises";
import {
  type Experiment,
  type Falsified,
  FEWEST,
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
/** For all claims of a quick run together, in milliseconds. */
const QUICK_MS = 5 * 60_000;

export interface FalsifyRun extends Pick<Session, "engines" | "signal" | "compileCache"> {
  readonly size: HistoryEntry["size"];
  readonly seed: number;
  /** Of each experiment; default: as it says, in a quick run at most {@link QUICK_TURNS}. */
  readonly turns?: number | undefined;
  /** Whether the logs' `last-measured` lines are written. */
  readonly write: boolean;
  /** Told after each turn of an experiment, and each run of checks. */
  onTurn(bound: Bound, at: Moment): void;
  onOutcome(outcome: Outcome): void;
}

/** How far a run is. */
export interface Moment {
  /** Claims that are over. */
  readonly claims: number;
  /** Turns of this one, or runs of its checks. */
  readonly done: number;
  readonly of: number;
  /** At most, in milliseconds; Infinity for a full run. */
  readonly leftMs: number;
}

/** What became of one claim. */
export type Outcome =
  | { readonly bound: Bound; readonly finding: Finding; readonly results: readonly Results[] }
  | { readonly bound: Bound; readonly error: MeasureError | CliError };

/**
 * Puts claims to the test, one after the other: two at a time would measure each other. What a claim
 * comes to is kept before the next one begins; an experiment that crashes doesn't keep the others.
 *
 * A quick run has {@link QUICK_MS}. Each claim may take an equal share of what is left of that: an
 * experiment then ends with fewer turns, though not with too few for an interval, and of several
 * wrong answers one is asked. What has had less, leaves more to those after it.
 * @throws the signal's reason
 */
export async function falsifyAll(claims: readonly Bound[], run: FalsifyRun): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const end = run.size === "quick" ? performance.now() + QUICK_MS : Number.POSITIVE_INFINITY;
  for (const bound of claims) {
    const leftMs = end - performance.now();
    const until = performance.now() + leftMs / (claims.length - outcomes.length);
    const share: Share = {
      isLate: () => performance.now() > until,
      onTurn: (done, of) => {
        const at = { claims: outcomes.length, done, of, leftMs: end - performance.now() };
        run.onTurn(bound, at);
      },
    };
    const outcome = leftMs > 0 ? await falsifyOne(bound, run, share) : outOfTime(bound);
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

/** What a claim may take, and whom it tells. */
interface Share {
  isLate(): boolean;
  onTurn(done: number, of: number): void;
}

function outOfTime(bound: Bound): Outcome {
  const { id } = bound.claim.fields;
  const needs = `time: a quick run ends after ${QUICK_MS / 60_000} min; pnpm kata falsify ${bound.kata.name} --quick --claim ${id}`;
  return { bound, finding: { id, verdict: "not run", needs }, results: [] };
}

async function falsifyOne(bound: Bound, run: FalsifyRun, share: Share): Promise<Outcome> {
  try {
    const { finding, results } = await test(bound, run, share);
    await keep(bound, finding, run);
    return { bound, finding, results };
  } catch (error) {
    if (run.signal.aborted) throw run.signal.reason;
    if (error instanceof MeasureError || error instanceof CliError) return { bound, error };
    throw error;
  }
}

async function test(bound: Bound, run: FalsifyRun, share: Share): Promise<Falsified> {
  const { isLate, onTurn } = share;
  if ("rubric" in bound) {
    return { finding: await runChecks(bound, { ...run, isLate, onRun: onTurn }), results: [] };
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
    ...turnsFor(bound.experiment, run),
    isEnough: (done) => done >= FEWEST && isLate(),
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

function turnsFor({ definition }: Experiment, { size, turns }: FalsifyRun): { turns?: number } {
  if (turns !== undefined) return { turns };
  return size === "quick" ? { turns: Math.min(definition.turns ?? QUICK_TURNS, QUICK_TURNS) } : {};
}
