import { ExplainedError, type Explanation } from "@db-katas/engines/explained-error";
import { formatProblems, type Problem } from "./claim/claim.ts";

/** Every way in which this package can fail; a claim that doesn't hold is none of them. */
export const errorCodes = [
  "REQUEST_FAILED",
  "LOAD_OVERRUN",
  "LOAD_UNANSWERED",
  "LOAD_INVALID",
  "EXPERIMENT_INVALID",
  "EXPERIMENT_CRASHED",
  "EXPERIMENT_UNUSABLE",
  "PARAMETER_UNKNOWN",
  "JOURNAL_CORRUPT",
  "CLAIM_INVALID",
] as const;

export type MeasureErrorCode = (typeof errorCodes)[number];

interface MeasureErrorText extends Explanation {
  /** In whole sentences. */
  readonly happened: string;
}

/** What happened, why it probably did, and what to do next. */
export class MeasureError extends ExplainedError<MeasureErrorCode> {
  override readonly name = "MeasureError";

  constructor(code: MeasureErrorCode, { happened, ...why }: MeasureErrorText) {
    super(code, happened, why);
  }
}

export function requestFailed(n: number, cause: unknown): MeasureError {
  return new MeasureError("REQUEST_FAILED", {
    happened: `Request ${n} failed: ${messageOf(cause)}`,
    likelyCause: "the engine refused it, or the experiment asks for what isn't there",
    remedy:
      "mend the request; where refusals belong to what is measured, say mayFail: true, and they are counted",
    cause,
  });
}

export function loadOverrun(perSecond: number, inFlight: number): MeasureError {
  return new MeasureError("LOAD_OVERRUN", {
    happened: `${inFlight} requests are unanswered, of ${perSecond} sent per second.`,
    likelyCause: "the engine doesn't keep up with this rate, so that latencies would grow for ever",
    remedy: "ask for fewer requests per second, or measure what it can do with a closed loop",
  });
}

export function loadUnanswered(afterMs: number): MeasureError {
  return new MeasureError("LOAD_UNANSWERED", {
    happened: `Some requests had no answer ${afterMs} ms after the load was over.`,
    likelyCause: "the engine hangs, or the client waits without a limit",
    remedy: "give the client a time limit, or heal the fault before the load ends",
  });
}

export function loadInvalid(what: string): MeasureError {
  return new MeasureError("LOAD_INVALID", {
    happened: `There is no such load: ${what}.`,
    remedy:
      'use { kind: "open", perSecond, ms } or { kind: "closed", clients, ms }, with positive numbers',
  });
}

export function experimentInvalid(
  file: string,
  problems: readonly string[],
  cause?: unknown,
): MeasureError {
  return new MeasureError("EXPERIMENT_INVALID", {
    happened: [`${file} is no experiment:`, ...problems.map((each) => `  ${each}`)].join("\n"),
    remedy: "export default defineExperiment({ … }), and let tsc check it",
    cause,
  });
}

/** What an experiment does with its turn that makes no sense. */
export function experimentMisuse(what: string): MeasureError {
  return new MeasureError("EXPERIMENT_INVALID", {
    happened: `The experiment can't go on: ${what}.`,
    remedy:
      "see Turn in the experiment's types: each value once a turn, of a metric that is defined",
  });
}

/** @param during for people: `turn 7` */
export function experimentCrashed(
  name: string,
  during: string,
  kept: { readonly turns: number; readonly file: string },
  cause: unknown,
): MeasureError {
  return new MeasureError("EXPERIMENT_CRASHED", {
    happened: `The experiment ${name} crashed during ${during}: ${messageOf(cause)}`,
    remedy: `mend it; what was measured is kept (${kept.turns} ${kept.turns === 1 ? "turn" : "turns"}, in ${kept.file}), and the same command goes on from there unless the experiment's file has changed`,
    cause,
  });
}

/**
 * Of an experiment in a process of its own.
 * @param during for people: `while it was opened`
 * @param stderr the last of what it wrote there
 */
export function experimentUnusable(
  name: string,
  during: string,
  why: string,
  stderr: string,
): MeasureError {
  const said = stderr.trim();
  return new MeasureError("EXPERIMENT_UNUSABLE", {
    happened: `The experiment ${name} can't be used: ${why.replace(/\.$/, "")} (${during}).${said ? `\nIt wrote: ${said}` : ""}`,
    remedy: "mend it, and the same command again",
  });
}

export function parameterUnknown(
  experiment: string,
  parameter: string,
  known: readonly string[],
): MeasureError {
  return new MeasureError("PARAMETER_UNKNOWN", {
    happened: `The experiment ${experiment} has no parameter "${parameter}".`,
    remedy: `use ${known.join(", ") || "none: it has no parameters"}`,
  });
}

export function journalCorrupt(file: string, line: number, cause: unknown): MeasureError {
  return new MeasureError("JOURNAL_CORRUPT", {
    happened: `Line ${line} of ${file} is no result.`,
    likelyCause: "somebody edited it, or another version wrote it",
    remedy: `take that line out, or begin anew: mv ${file} ${file}.old`,
    cause,
  });
}

/** @param file the log that the claim is in */
export function claimInvalid(file: string, problems: readonly Problem[]): MeasureError {
  return new MeasureError("CLAIM_INVALID", {
    happened: formatProblems(file, problems),
    remedy: "mend the claim, at the lines and columns above",
  });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
