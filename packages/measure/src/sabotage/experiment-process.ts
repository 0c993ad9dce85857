import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { experimentUnusable } from "../errors.ts";
import type { Answer, Answered, Order, Ordered } from "./protocol.ts";

/** Like this file: `.ts` in a clone, `.js` where it was built. */
const CHILD = fileURLToPath(import.meta.resolve(`./child${import.meta.url.slice(-3)}`));
/** The longest that one order may take, in milliseconds: opening fills the engines. */
const LIMIT_MS = { describe: 20_000, open: 30_000, measure: 15_000 };
/** How much of what it wrote to stderr is told. */
const STDERR_CHARS = 2_000;

type AnswerTo<K extends Order["kind"]> = Extract<
  Answer,
  { kind: { describe: "described"; open: "opened"; measure: "measured" }[K] }
>;

/** An experiment in a process of its own, which knows nothing of this one but its orders. */
export class ExperimentProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #name: string;
  #orders = 0;
  #waiting: { readonly id: number; settle(answer: Answer | undefined): void } | undefined;
  #stderr = "";

  /** @param name for messages */
  constructor(name: string, folder: string) {
    this.#name = name;
    this.#child = fork(CHILD, [], {
      cwd: folder,
      // Nothing of the grader's: no option, no secret.
      env: { PATH: process.env.PATH },
      execArgv: [],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk).slice(-STDERR_CHARS);
    });
    this.#child.on("message", ({ id, answer }: Answered) => {
      if (id === this.#waiting?.id) this.#waiting.settle(answer);
    });
    this.#child.on("exit", () => this.#waiting?.settle(undefined));
    // Whoever waits is told by the exit.
    this.#child.on("error", () => {});
  }

  /** @throws MeasureError `EXPERIMENT_UNUSABLE` */
  async ask<O extends Order>(order: O, signal: AbortSignal): Promise<AnswerTo<O["kind"]>> {
    signal.throwIfAborted();
    const doing = {
      describe: "while it was read",
      open: "while it was opened",
      measure: "while it measured",
    }[order.kind];
    const unusable = (why: string) => experimentUnusable(this.#name, doing, why, this.#stderr);
    if (this.#isOver) throw unusable("its process is over");
    const { promise, resolve, reject } = Promise.withResolvers<Answer | undefined>();
    const id = this.#orders++;
    this.#waiting = { id, settle: resolve };
    const limit = LIMIT_MS[order.kind];
    const timer = setTimeout(() => reject(unusable(`no end after ${limit} ms`)), limit);
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
    try {
      this.#child.send({ id, order } satisfies Ordered);
      const answer = await promise;
      if (!answer) throw unusable("its process ended");
      if (answer.kind === "failed") throw unusable(answer.message);
      return answer as AnswerTo<O["kind"]>;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      this.#waiting = undefined;
    }
  }

  get #isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }
}
