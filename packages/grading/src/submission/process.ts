import { type ChildProcess, fork } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { type EngineRun, killTree, processRef } from "@db-katas/engines";
import { type BirpcReturn, createBirpc } from "birpc";
import { SubmissionCrashed, SubmissionError, SubmissionTimedOut } from "../verdict.ts";
import type { HostFunctions, Outcome } from "./protocol.ts";

const HOST = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "./host.ts" : "./host.js", import.meta.url),
);
/** How long pipes that somebody else still holds are waited for, in milliseconds. */
const PIPES_MS = 500;
const STDERR_KEPT = 32 * 1024;
/** Importing a submission with a large client takes about half a second; ten times that is stuck. */
const LOAD_MS = 15_000;

export interface AppProcessOptions {
  readonly name: string;
  /** The submission's `index.ts`. */
  readonly entry: string;
  readonly cwd: string;
  /** The exercise's folder: where packages that the submission lacks are looked for. */
  readonly exercise: string;
  readonly memoryMb: number;
  readonly callMs: number;
  readonly engines: EngineRun;
  /** Where Node keeps compiled code between processes. */
  readonly compileCache?: string | undefined;
}

/**
 * One process of a submission. It is started at once, and usable when {@link ready} resolves.
 * Disposing it kills it: a submission gets no say in how long a check lasts.
 */
export class AppProcess implements AsyncDisposable {
  readonly name: string;
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;
  readonly #rpc: BirpcReturn<HostFunctions>;
  readonly #callMs: number;
  readonly #exited: Promise<void>;
  #stderr = "";
  #ending = false;
  readonly #timers = new Set<NodeJS.Timeout>();
  #crash: (error: SubmissionCrashed) => void = () => {};
  readonly #crashed: Promise<never>;

  constructor(options: AppProcessOptions) {
    this.name = options.name;
    this.#callMs = options.callMs;
    this.#child = fork(HOST, [options.exercise], {
      cwd: options.cwd,
      // A group of its own: what a submission starts ends with it, and Ctrl-C reaches only us.
      detached: true,
      serialization: "advanced",
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      execArgv: [
        `--max-old-space-size=${options.memoryMb}`,
        "--disable-warning=ExperimentalWarning",
      ],
      env: environment(options.compileCache),
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#stderr = (this.#stderr + stripVTControlCharacters(text)).slice(-STDERR_KEPT);
      });
    }
    this.#crashed = new Promise<never>((_, reject) => {
      this.#crash = reject;
    });
    this.#crashed.catch(() => {});
    this.#exited = new Promise((resolve) => {
      this.#child.once("error", (error) => {
        this.#crash(new SubmissionCrashed(this.name, `it could not be started: ${error}`, ""));
        resolve();
      });
      // "close" comes after the last of stderr, "exit" may not.
      this.#child.once("close", (code, signal) => {
        if (this.#child.pid) options.engines.disown(this.#child.pid);
        if (!this.#ending) {
          this.#crash(
            new SubmissionCrashed(
              this.name,
              this.#describeExit(code, signal, options),
              this.#stderr,
            ),
          );
        }
        resolve();
      });
    });
    this.#rpc = createBirpc<HostFunctions>(
      {},
      {
        post: (message) => {
          this.#child.send(message, () => {});
        },
        on: (listener) => {
          this.#child.on("message", (message) => {
            if (isRpcMessage(message)) listener(message);
            else this.#crash(new SubmissionCrashed(this.name, "it sent what is no answer", ""));
          });
        },
        timeout: -1,
      },
    );
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

  migrate(args: unknown[]): Promise<void> {
    return this.#settle("migrate", () => this.#rpc.migrate(args)).then(() => {});
  }

  createNode(args: unknown[]): Promise<void> {
    return this.#settle("createNode", () => this.#rpc.createNode(args)).then(() => {});
  }

  call(method: string, args: unknown[]): Promise<unknown> {
    return this.#settle(method, () => this.#rpc.call(method, args));
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
    await Promise.race([this.#exited, wait(PIPES_MS, undefined, { ref: false })]);
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  async #start(options: AppProcessOptions): Promise<void> {
    // Under the watcher before any of its code runs, so that nothing outlives us.
    if (this.#child.pid !== undefined) await options.engines.adopt(this.#child.pid);
    try {
      await this.#settle("import", () => this.#rpc.load(options.entry), LOAD_MS);
    } catch (error) {
      if (!(error instanceof SubmissionError)) throw error;
      throw new SubmissionCrashed(this.name, error.message, error.remoteStack ?? this.#stderr);
    }
  }

  async #settle(
    operation: string,
    send: () => Promise<Outcome>,
    limitMs = this.#callMs,
  ): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      if (this.#ending) return;
      timer = setTimeout(
        () =>
          reject(
            new SubmissionTimedOut(
              `${operation}() on node ${this.name} did not answer within ${limitMs} ms.`,
            ),
          ),
        limitMs,
      );
      this.#timers.add(timer);
    });
    try {
      const outcome = await Promise.race([send(), this.#crashed, timeout]);
      if (outcome.ok) return outcome.value;
      throw new SubmissionError(this.name, operation, outcome.error);
    } finally {
      clearTimeout(timer);
      if (timer) this.#timers.delete(timer);
    }
  }

  #describeExit(
    code: number | null,
    signal: NodeJS.Signals | null,
    options: AppProcessOptions,
  ): string {
    if (this.#stderr.includes("heap out of memory")) {
      return `it ran out of memory (the limit is ${options.memoryMb} MiB)`;
    }
    return signal ? `it was ended by ${signal}` : `it exited with code ${code}`;
  }
}

/** A submission shares the channel with our host: what comes over it may be anything. */
function isRpcMessage(message: unknown): boolean {
  return typeof message === "object" && message !== null && "t" in message;
}

/** Nothing of the grader's environment (engine credentials above all) reaches a submission. */
function environment(compileCache: string | undefined): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { NODE_ENV: "production", TZ: "UTC" };
  for (const name of ["PATH", "LANG", "TMPDIR", "TEMP", "SystemRoot"]) {
    if (process.env[name] !== undefined) env[name] = process.env[name];
  }
  if (compileCache) env.NODE_COMPILE_CACHE = compileCache;
  return env;
}
