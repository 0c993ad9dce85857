/** One operation of one client, from its invocation to its completion. */
export interface Operation<Op extends string = string> {
  /** Its place in the history, from 0 on. */
  readonly index: number;
  /** The client that did it: one client does one operation at a time. */
  readonly process: string;
  readonly op: Op;
  /** What it was about: an element, a key, the name of a lock. */
  readonly value: string;
  /** What it was given, where the checker needs it: what was written, an amount, a token. */
  readonly input?: unknown;
  /** Milliseconds since the history began. */
  readonly invokedAt: number;
  /** Milliseconds since the history began; Infinity while open, and for ever if it never answered. */
  readonly completedAt: number;
  /**
   * `ok`: it happened. `fail`: it certainly did not. `unknown`: it may have happened, and may still
   * (a time-out, a lost connection).
   */
  readonly outcome: "ok" | "fail" | "unknown";
  readonly result?: unknown;
  readonly error?: string;
}

export interface HistoryOptions {
  /** True for errors that say for certain that nothing happened. Default: none does. */
  readonly isDefinite?: (error: unknown) => boolean;
}

/**
 * Records operations as clients see them. Times come from one monotonic clock, the grader's.
 */
export class History<Op extends string = string> {
  readonly #operations: Operation<Op>[] = [];
  readonly #begin = performance.now();
  readonly #isDefinite: (error: unknown) => boolean;

  constructor(options: HistoryOptions = {}) {
    this.#isDefinite = options.isDefinite ?? (() => false);
  }

  get operations(): readonly Operation<Op>[] {
    return this.#operations;
  }

  /** Runs and records one operation. The error, if any, is recorded and thrown on. */
  async record<T>(
    process: string,
    op: Op,
    value: string,
    run: () => Promise<T>,
    input?: unknown,
  ): Promise<T> {
    const index = this.#operations.length;
    const open: Operation<Op> = {
      index,
      process,
      op,
      value,
      ...(input === undefined ? {} : { input }),
      invokedAt: performance.now() - this.#begin,
      completedAt: Number.POSITIVE_INFINITY,
      outcome: "unknown",
    };
    this.#operations.push(open);
    try {
      const result = await run();
      this.#close({ ...open, outcome: "ok", result });
      return result;
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      // An operation of unknown outcome may take effect at any later time: it stays open.
      if (this.#isDefinite(error)) this.#close({ ...open, outcome: "fail", error: text });
      else this.#operations[index] = { ...open, error: text };
      throw error;
    }
  }

  #close(operation: Operation<Op>): void {
    this.#operations[operation.index] = {
      ...operation,
      completedAt: performance.now() - this.#begin,
    };
  }
}

/** One line for people: `  12.3 –   15.0 ms  a  add     s-4  → ok`. */
export function formatOperation(operation: Operation): string {
  const time = (ms: number) => (Number.isFinite(ms) ? ms.toFixed(1) : "…").padStart(8);
  const input = operation.input === undefined ? "" : ` ${JSON.stringify(operation.input)}`;
  const result = operation.result === undefined ? "" : ` ${JSON.stringify(operation.result)}`;
  const error = operation.error ? ` (${operation.error})` : "";
  return (
    `${time(operation.invokedAt)} –${time(operation.completedAt)} ms  ` +
    `${operation.process.padEnd(4)} ${operation.op.padEnd(8)} ${operation.value}${input}  ` +
    `→ ${operation.outcome}${result}${error}`
  );
}
