import { setTimeout as wait } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { GradingError } from "./errors.ts";
import { formatOperation } from "./history/history.ts";
import { countAnomalies, type HistoryVerdict } from "./history/verdict.ts";
import { brief } from "./trace.ts";
import { CheckFailure, SubmissionError } from "./verdict.ts";

/** How long anything may take while a debugger is attached. */
const DEBUGGING_MS = 600_000;

/** Of a counterexample, how many operations are printed. */
const MOST_OPERATIONS = 30;

/** What a check may demand of what came back. What it throws is the verdict. */
export class Expectations {
  readonly #patient: boolean;

  /** @param patient a debugger is attached: what takes long is not held against the submission */
  constructor(patient = false) {
    this.#patient = patient;
  }

  /** @throws CheckFailure unless the two are deeply and strictly equal */
  equal<T>(received: T, expected: T, what: string): void {
    if (isDeepStrictEqual(received, expected)) return;
    throw new CheckFailure(what, {
      expected: brief(expected, 400),
      received: brief(received, 400),
    });
  }

  /** @throws CheckFailure unless `holds`; the two texts say what was expected and what came back. */
  ok(holds: boolean, what: string, texts: { expected: string; received: string }): void {
    if (!holds) throw new CheckFailure(what, texts);
  }

  /** @throws CheckFailure unless the operation rejects with an error of one of those codes */
  async rejects(operation: Promise<unknown>, codes: string | readonly string[], what: string) {
    const wanted = typeof codes === "string" ? [codes] : codes;
    const expected = `an error with code ${wanted.join(" or ")}`;
    let result: unknown;
    try {
      result = await operation;
    } catch (error) {
      if (!(error instanceof SubmissionError)) throw error;
      if (error.code !== undefined && wanted.includes(error.code)) return;
      throw new CheckFailure(what, {
        expected,
        received: `an error with code ${error.code ?? "(none)"}: ${error.message}`,
      });
    }
    throw new CheckFailure(what, { expected, received: `it resolved to ${brief(result)}` });
  }

  /**
   * The operation's outcome, whatever it is, if it settles in time.
   * @throws CheckFailure when it takes longer than `limitMs`
   * @returns what it resolved to, and how long it took in milliseconds
   */
  async within<T>(
    limitMs: number,
    run: () => Promise<T>,
    what: string,
  ): Promise<{ outcome: PromiseSettledResult<T>; tookMs: number }> {
    const begin = performance.now();
    const late = new AbortController();
    const [outcome] = await Promise.race([
      Promise.allSettled([run()]),
      wait(this.#patience(limitMs), [undefined] as const, {
        signal: late.signal,
      }).catch(() => [undefined] as const),
    ]);
    late.abort();
    const tookMs = performance.now() - begin;
    if (!outcome) {
      throw new CheckFailure(what, {
        expected: `an answer or an error within ${limitMs} ms`,
        received: `nothing after ${tookMs.toFixed(0)} ms`,
      });
    }
    return { outcome, tookMs };
  }

  /**
   * Asks again and again, 20 ms apart, until the answer is accepted.
   * @throws CheckFailure when no answer is accepted within `limitMs`
   */
  async eventually<T>(
    limitMs: number,
    ask: () => Promise<T>,
    accept: (answer: T) => boolean,
    what: string,
    expected: string,
  ): Promise<T> {
    const end = performance.now() + this.#patience(limitMs);
    for (;;) {
      const [outcome] = await Promise.allSettled([ask()]);
      if (outcome?.status === "fulfilled" && accept(outcome.value)) return outcome.value;
      if (outcome?.status === "rejected" && !(outcome.reason instanceof SubmissionError)) {
        throw outcome.reason;
      }
      if (performance.now() > end) {
        const received =
          outcome?.status === "fulfilled" ? brief(outcome.value, 400) : String(outcome?.reason);
        throw new CheckFailure(`${what}, also after ${limitMs} ms`, { expected, received });
      }
      await wait(20);
    }
  }

  #patience(limitMs: number): number {
    return this.#patient ? DEBUGGING_MS : limitMs;
  }

  /**
   * What any checker of histories found.
   * @throws CheckFailure when the history is not valid, with the operations that prove it
   * @throws GradingError when it could not be decided: that is no pass, and nobody's wrong answer
   */
  historyHolds(verdict: HistoryVerdict, what: string): void {
    if (verdict.valid) return;
    if (verdict.counterexample.length === 0) {
      throw new GradingError("HISTORY_UNDECIDED", `${what}: ${verdict.summary}`, {
        likelyCause:
          "Too many operations on one key overlap, or too many were never answered, to try all orders.",
        remedy: "Spread the load over more keys, or give the checker a larger budgetMs.",
      });
    }
    const found = Object.entries(verdict.anomalies).filter(([, subjects]) => subjects.length > 0);
    const shown = verdict.counterexample.slice(0, MOST_OPERATIONS);
    const more = verdict.counterexample.length - shown.length;
    throw new CheckFailure(what, {
      expected: verdict.expected,
      received: countAnomalies(verdict),
      detail: [
        ...found.map(([kind, subjects]) => `${kind}, for instance: ${subjects[0]}`),
        verdict.summary,
        "The operations that prove it:",
        ...shown.map(formatOperation),
        ...(more > 0 ? [`… and ${more} more`] : []),
      ],
    });
  }
}
