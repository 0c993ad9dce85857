import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import {
  AnswerReader,
  encodeRequest,
  KEY_BYTES,
  type Operation,
  type Outcome,
  type RemoteError,
} from "./app/channel.ts";

/** The grader's end of the two pipes to an app node's process. */
export class Link {
  readonly #requests: Duplex;
  readonly #answers: Duplex;
  readonly #waiting = new Map<number, (outcome: Outcome) => void>();
  #nextId = 0;

  /** @param tampered called when something came that is no answer of ours to read */
  constructor(requests: Duplex, answers: Duplex, tampered: () => void) {
    this.#requests = requests;
    this.#answers = answers;
    const key = randomBytes(KEY_BYTES);
    const reader = new AnswerReader(key);
    requests.write(key);
    // Nothing comes this way but the end, and unread it would never be told.
    requests.resume();
    // A process that is gone is told of by its exit.
    for (const stream of [requests, answers]) stream.on("error", () => {});
    answers.on("data", (bytes: Buffer) => {
      try {
        for (const { id, outcome } of reader.take(bytes)) {
          this.#waiting.get(id)?.(plain(outcome));
          this.#waiting.delete(id);
        }
      } catch {
        answers.destroy();
        tampered();
      }
    });
  }

  ask(operation: Operation, args: readonly unknown[]): Promise<Outcome> {
    const id = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.#waiting.set(id, resolve);
    this.#requests.write(encodeRequest({ id, operation, args }));
    return promise;
  }

  close(): void {
    this.#requests.destroy();
    this.#answers.destroy();
  }
}

/** What a submission threw may call anything its message: from here on it is text. */
function plain(outcome: Outcome): Outcome {
  if (outcome.ok) return outcome;
  const { name, message, code, stack } = outcome.error as {
    [Key in keyof RemoteError]: unknown;
  };
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  return {
    ok: false,
    error: {
      name: text(name) ?? "Error",
      message: text(message) ?? "(an error whose message is no text)",
      code: text(code),
      stack: text(stack),
    },
  };
}
