/** What becomes of a call that somebody ends. */
import { cancellable } from "../cancel.ts";
import { Deadline } from "../database.ts";
import { sqlState } from "../errors.ts";
import { type Context, Impossible } from "./limits.ts";

/** What putting right may take after it, in milliseconds. */
const CLEAN_UP_MS = 30_000;

/** Live: it listens until it is disposed of. */
export class Interruption implements Disposable {
  readonly #signal: AbortSignal | undefined;
  readonly #whole: Deadline;
  readonly #cut = new AbortController();
  readonly #begin = () => this.#begun();
  #rest: Deadline | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(signal: AbortSignal | undefined, whole: Deadline) {
    this.#signal = signal;
    this.#whole = whole;
    if (signal?.aborted) this.#begun();
    else signal?.addEventListener("abort", this.#begin, { once: true });
  }

  get happened(): boolean {
    return this.#rest !== undefined;
  }

  /** Until when things may be put right. */
  get deadline(): Deadline {
    return this.#rest ?? this.#whole;
  }

  /** For connections: they are for putting right, too, so that they end only when the time for that is over. */
  get cut(): AbortSignal {
    return this.#cut.signal;
  }

  #begun(): void {
    this.#rest = new Deadline(Math.min(CLEAN_UP_MS, this.#whole.leftMs()));
    this.#timer = setTimeout(() => this.#cut.abort(), this.#rest.leftMs());
  }

  [Symbol.dispose](): void {
    this.#signal?.removeEventListener("abort", this.#begin);
    clearTimeout(this.#timer);
  }

  check(): void {
    if (this.happened) throw new Impossible("Interrupted before it was begun.");
  }

  /** Runs one statement, which the server is asked to end as soon as the call is. */
  async during<T>({ session }: Pick<Context, "session">, run: () => Promise<T>): Promise<T> {
    this.check();
    try {
      return await cancellable(session, this.#signal, run);
    } catch (error) {
      if (!this.happened || sqlState(error) !== "57014") throw error;
      throw new Impossible("interrupted", { cause: error });
    }
  }
}
