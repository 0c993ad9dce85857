import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { constants } from "node:os";
import type { Duplex } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { killTree, processRef } from "@db-katas/engines";
import { SubmissionCrashed, SubmissionError, SubmissionTimedOut } from "../verdict.ts";
import type { Operation } from "./app/channel.ts";
import { Doors } from "./isolation/doors.ts";
import { type AppProcessOptions, type Isolated, launch } from "./launch.ts";
import { Link } from "./link.ts";
import { killStrays } from "./strays.ts";
import { memoryOf, sizeOf } from "./usage.ts";

/** How long pipes that somebody else still holds are waited for, in milliseconds. */
const PIPES_MS = 500;
/** How long the end of a process may take to be told after the end of its connections, in milliseconds. */
const DYING_MS = 50;
const STDERR_KEPT = 32 * 1024;
/** Importing a submission with a large client takes about half a second; ten times that is stuck. */
const LOAD_MS = 15_000;
/** The longest timer that Node has, about 25 days. */
export const NO_LIMIT_MS = 2 ** 31 - 1;
/** How often an isolated process's use of memory and disk is looked at, in milliseconds. */
const USAGE_MS = 200;

/**
 * One process of a submission. It is started at once, and usable when {@link ready} resolves.
 * Disposing it kills it: a submission gets no say in how long a check lasts.
 */
export class AppProcess implements AsyncDisposable {
  readonly name: string;
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;
  readonly #link: Link;
  readonly #callMs: number;
  readonly #mark = randomBytes(12).toString("hex");
  readonly #closed: Promise<unknown>;
  #stderr = "";
  #ending = false;
  readonly #doors: Doors | undefined;
  readonly #timers = new Set<NodeJS.Timeout>();
  #crash: (error: SubmissionCrashed) => void = () => {};
  readonly #crashed: Promise<never>;

  constructor(options: AppProcessOptions) {
    this.name = options.name;
    this.#callMs = options.callMs;
    this.#child = launch(options, this.#mark);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#stderr = (this.#stderr + stripVTControlCharacters(text)).slice(-STDERR_KEPT);
      });
    }
    if (options.onInspector) this.#findInspector(options.onInspector);
    this.#crashed = new Promise<never>((_, reject) => {
      this.#crash = reject;
    });
    this.#crashed.catch(() => {});
    const [, , , requests, answers] = this.#child.stdio as unknown as Duplex[];
    this.#link = new Link(requests as Duplex, answers as Duplex, () =>
      this.#crash(new SubmissionCrashed(this.name, "it wrote to the grader's channel itself", "")),
    );
    this.#child.once("error", (error) => {
      this.#crash(new SubmissionCrashed(this.name, `it could not be started: ${error}`, ""));
    });
    this.#closed = once(this.#child, "close").catch(() => {});
    this.#child.once("exit", async (code, signal) => {
      if (this.#child.pid) options.engines.disown(this.#child.pid);
      if (this.#ending) return;
      // The last of stderr may still be under way; a child that it left may hold the pipe for ever.
      await Promise.race([this.#closed, wait(PIPES_MS)]);
      const how = this.#describeExit(code, signal, options);
      this.#crash(new SubmissionCrashed(this.name, how, this.#stderr));
    });
    if (options.isolated) {
      this.#doors = new Doors(this.#child);
      this.#watchUsage(options.isolated);
    }
    this.ready = this.#start(options);
    this.ready.catch(() => {});
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** What it wrote to stderr and stdout lately. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Makes an address of this machine's loopback reachable, if it isn't. */
  async reach(port: number): Promise<void> {
    await this.#doors?.open(port);
  }

  /** @param aheadMs how far its wall clock is ahead of ours from now on, in milliseconds */
  async skew(aheadMs: number): Promise<void> {
    await this.#ask("skew", "skew", [aheadMs]);
  }

  async migrate(args: unknown[]): Promise<void> {
    await this.#doors?.settled();
    await this.#ask("migrate", "migrate", args);
  }

  async createNode(args: unknown[]): Promise<void> {
    await this.#doors?.settled();
    await this.#ask("createNode", "createNode", args);
  }

  call(method: string, args: unknown[]): Promise<unknown> {
    return this.#ask("call", method, [method, ...args]);
  }

  /**
   * Speaks to it over a protocol of its own, under the terms of a call: within the same limit, and no
   * longer than it lives.
   * @param work its rejections are the submission's errors; `signal` tells it that nobody waits any more
   */
  async exchange<T>(what: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const over = new AbortController();
    const answered = work(over.signal).catch(async (error: unknown) => {
      // Of a process that dies its connections may tell first.
      await Promise.race([this.#crashed, wait(DYING_MS, undefined, { ref: false })]);
      throw new SubmissionError(this.name, what, plainError(error));
    });
    answered.catch(() => {});
    try {
      return await this.#within(what, this.#callMs, answered);
    } finally {
      over.abort();
    }
  }

  /** The port of this machine's loopback that leads to one on which the process listens. */
  async portOf(port: number): Promise<number> {
    return this.#doors ? this.#doors.lookIn(port) : port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending = true;
    // Calls that a check left behind stay open for ever: nobody waits, and nobody is to be told.
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    const { pid, exitCode, signalCode } = this.#child;
    const ref = pid === undefined ? undefined : processRef(pid);
    // The whole tree, and while its members still have their parents: what a submission starts in a
    // group of its own ends with it too.
    if (ref && exitCode === null && signalCode === null) await killTree(ref);
    // A process namespace leaves none behind.
    if (!this.#doors) await killStrays(this.#mark);
    await Promise.race([this.#closed, wait(PIPES_MS, undefined, { ref: false })]);
    this.#link.close();
    if (this.#child.connected) this.#child.disconnect();
    await this.#doors?.[Symbol.asyncDispose]();
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  #findInspector(found: (url: string) => void): void {
    const look = () => {
      const url = /Debugger listening on (ws:\S+)/.exec(this.#stderr)?.[1];
      if (url === undefined) return;
      this.#child.stderr?.off("data", look);
      found(url);
    };
    this.#child.stderr?.on("data", look);
  }

  async #start(options: AppProcessOptions): Promise<void> {
    // Under the watcher before any of its code runs, so that nothing outlives us.
    if (this.#child.pid !== undefined) await options.engines.adopt(this.#child.pid);
    const limitMs = options.onInspector ? NO_LIMIT_MS : LOAD_MS;
    try {
      await this.#ask("load", "import", [options.entry], limitMs);
    } catch (error) {
      if (!(error instanceof SubmissionError)) throw error;
      throw new SubmissionCrashed(this.name, error.message, error.remoteStack ?? this.#stderr);
    }
  }

  async #ask(
    operation: Operation,
    called: string,
    args: unknown[],
    limitMs = this.#callMs,
  ): Promise<unknown> {
    const outcome = await this.#within(`${called}()`, limitMs, this.#link.ask(operation, args));
    if (outcome.ok) return outcome.value;
    throw new SubmissionError(this.name, called, outcome.error);
  }

  /** @throws SubmissionTimedOut, SubmissionCrashed */
  async #within<T>(what: string, limitMs: number, answer: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      if (this.#ending) return;
      timer = setTimeout(
        () =>
          reject(
            new SubmissionTimedOut(
              `${what} on node ${this.name} did not answer within ${limitMs} ms.`,
            ),
          ),
        limitMs,
      );
      this.#timers.add(timer);
    });
    try {
      return await Promise.race([answer, this.#crashed, timeout]);
    } finally {
      clearTimeout(timer);
      if (timer) this.#timers.delete(timer);
    }
  }

  #watchUsage({ folders, limits }: Isolated): void {
    const ref = this.#child.pid === undefined ? undefined : processRef(this.#child.pid);
    if (!ref) return;
    const timer = setInterval(async () => {
      const memory = memoryOf(ref) > limits.memoryMb;
      const disk = !memory && (await sizeOf(folders)) > limits.diskMb;
      if (!memory && !disk) return;
      clearInterval(timer);
      const [what, limit] = memory ? ["memory", limits.memoryMb] : ["disk", limits.diskMb];
      const how = `it took more ${what} than it may (the limit is ${limit} MiB)`;
      this.#crash(new SubmissionCrashed(this.name, how, this.#stderr));
      await killTree(ref).catch(() => {});
    }, USAGE_MS);
    timer.unref();
    this.#child.once("exit", () => clearInterval(timer));
  }

  #describeExit(
    code: number | null,
    signal: NodeJS.Signals | null,
    options: AppProcessOptions,
  ): string {
    if (this.#stderr.includes("heap out of memory")) {
      return `it ran out of memory (the limit is ${options.memoryMb} MiB)`;
    }
    // The first process of its namespaces tells a signal as shells do.
    const told =
      options.isolated && code !== null && code > 128 ? signalName(code - 128) : undefined;
    const by = signal ?? told;
    return by ? `it was ended by ${by}` : `it exited with code ${code}`;
  }
}

/** What a client says of a node: the reasons of a reason are where the reason is (`fetch failed`). */
function plainError(error: unknown): { name: string; message: string; code?: string | undefined } {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const { name, message, cause } = error;
  const { code } = (cause ?? error) as { code?: unknown };
  return {
    name,
    message: cause instanceof Error ? `${message}: ${cause.message || cause.name}` : message,
    code: typeof code === "string" ? code : undefined,
  };
}

function signalName(wanted: number): string | undefined {
  return Object.entries(constants.signals).find(([, number]) => number === wanted)?.[0];
}
