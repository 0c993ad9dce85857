import { stripVTControlCharacters } from "node:util";

/**
 * What became of one check. Never confused with each other: a time-out is not a wrong answer, and
 * our own failure (`error`) is never the learner's.
 */
export type Verdict =
  | "passed"
  | "failed"
  /** A check that it depends on did not pass. */
  | "skipped"
  /** An engine, or a capability of it, is not to be had on this machine. */
  | "not graded"
  /** The submission did not answer in time. */
  | "timed out"
  /** An app node of the submission ended by itself, or could not be loaded. */
  | "crashed"
  /** The grader's or the machine's fault. */
  | "error";

/** A wrong answer: what was expected and what came back. */
export class CheckFailure extends Error {
  override readonly name = "CheckFailure";
  readonly expected: string | undefined;
  readonly received: string | undefined;
  readonly detail: readonly string[];

  constructor(
    message: string,
    parts: { expected?: string; received?: string; detail?: readonly string[] } = {},
  ) {
    super(message);
    this.expected = parts.expected;
    this.received = parts.received;
    this.detail = parts.detail ?? [];
  }
}

/** The submission's process ended, or could not be started, without being asked to. */
export class SubmissionCrashed extends Error {
  override readonly name = "SubmissionCrashed";
  readonly node: string;
  /** The last of what it wrote to stderr. */
  readonly stderr: string;

  constructor(node: string, message: string, stderr: string) {
    super(message);
    this.node = node;
    this.stderr = stderr;
  }
}

/** The submission took longer than its limit for one call or one check. */
export class SubmissionTimedOut extends Error {
  override readonly name = "SubmissionTimedOut";
}

/**
 * An operation of the submission rejected. When a check does not catch it, that is a failed check:
 * the submission answered, and the answer was an error.
 */
export class SubmissionError extends Error {
  override readonly name = "SubmissionError";
  readonly node: string;
  /** A method's name, or what was asked over a protocol: `GET /notes/a`. */
  readonly operation: string;
  readonly code: string | undefined;
  readonly remoteStack: string | undefined;

  constructor(
    node: string,
    operation: string,
    error: { name: string; message: string; code?: string | undefined; stack?: string | undefined },
  ) {
    // It is printed: no submission writes to the terminal through its errors.
    super(stripVTControlCharacters(error.message));
    this.node = node;
    this.operation = operation;
    this.code = error.code;
    this.remoteStack = error.stack;
  }
}
