import { gateNotReached } from "./errors.ts";
import type { Transcript } from "./transcript.ts";
import type { Gate, GateOptions, HeldMessage } from "./types.ts";

/** Something in a queue that nothing passes while anybody holds it. */
export class Barrier {
  readonly #holders = new Set<object>();
  readonly #opened: () => void;
  /** Breaks the connection that it stands in. */
  readonly reset: () => void;

  constructor(opened: () => void, reset: () => void) {
    this.#opened = opened;
    this.reset = reset;
  }

  get open(): boolean {
    return this.#holders.size === 0;
  }

  hold(holder: object): void {
    this.#holders.add(holder);
  }

  release(holder: object): void {
    if (this.#holders.delete(holder) && this.open) this.#opened();
  }
}

/** Holds one message of a lease. */
export class WireGate implements Gate {
  readonly held: Promise<HeldMessage>;
  readonly #options: GateOptions;
  readonly #transcript: Transcript;
  readonly #over: () => void;
  readonly #matches: (text: string) => boolean;
  readonly #reached = Promise.withResolvers<HeldMessage>();
  #seen = 0;
  #barrier: Barrier | undefined;
  #ended = false;

  /** @param over called once, when it will hold nothing any more */
  constructor(options: GateOptions, transcript: Transcript, over: () => void) {
    this.#options = options;
    this.#transcript = transcript;
    this.#over = over;
    this.#matches = matcher(options.match);
    this.held = this.#reached.promise;
    // Whoever opens a gate for its hindrance alone needn't listen.
    this.held.catch(() => {});
  }

  /** Counts the message if it is of the kind. @returns whether it is the one */
  wants({ node, direction, text }: HeldMessage): boolean {
    const { direction: wanted = "request", nth = 1 } = this.#options;
    if (this.#ended || direction !== wanted) return false;
    if (this.#options.node !== undefined && this.#options.node !== node) return false;
    if (!this.#matches(text)) return false;
    this.#seen += 1;
    return this.#seen === nth;
  }

  take(message: HeldMessage, barrier: Barrier): void {
    this.#barrier = barrier;
    barrier.hold(this);
    this.#reached.resolve(message);
  }

  release(): void {
    this.#end("it was released first");
    this.#barrier?.release(this);
  }

  drop(): void {
    if (this.#ended) return;
    this.#end("it was dropped first");
    // Reset while it is still held, so that nothing slips through.
    this.#barrier?.reset();
  }

  /** Its lease is over. */
  end(): void {
    this.#end("its lease ended first");
    this.#barrier?.release(this);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  #end(why: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#over();
    if (!this.#barrier) {
      const { node, direction = "request", match, nth = 1 } = this.#options;
      const heard = this.#transcript.of(node);
      this.#reached.reject(
        gateNotReached({
          node,
          direction,
          match: String(match),
          nth,
          seen: this.#seen,
          why,
          heard,
        }),
      );
    }
  }
}

/** A string is sought as whole words, whatever their case: `GET` is not found in `HGET`. */
function matcher(match: string | RegExp): (text: string) => boolean {
  const pattern =
    typeof match === "string"
      ? new RegExp(`(?<!\\w)${match.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")}(?!\\w)`, "i")
      : new RegExp(match.source, match.flags.replaceAll(/[gy]/g, ""));
  return (text) => pattern.test(text);
}
