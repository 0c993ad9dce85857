import { type ChildProcess, spawn } from "node:child_process";
import { extname, join } from "node:path";
import { watcherDied } from "../errors.ts";
import type { FromWatcher, Launch, Request, ToWatcher } from "./protocol.ts";
import { endRun } from "./sweep.ts";

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A program that the watcher runs for us. */
export interface Launched {
  readonly key: string;
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** How, once it has. */
  ended(): Exit | undefined;
}

interface Pending {
  resolve(value: number | undefined): void;
  reject(error: Error): void;
}

/** The run's end of the pipe. */
export class Watcher {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #ready = Promise.withResolvers<void>();
  readonly #gone = Promise.withResolvers<void>();
  readonly #pending = new Map<number, Pending>();
  readonly #mortal = new Set<(death: Error) => void>();
  readonly #exits = new Map<string, (exit: Exit) => void>();
  #nextId = 0;
  #waiting = 0;
  #ended = false;
  /** It has said that everything has ended. */
  #finished = false;
  #death: Error | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    // Same extension as this file: source in development, JavaScript when published.
    const main = join(import.meta.dirname, `main${extname(import.meta.filename)}`);
    const { NODE_OPTIONS: _, ...env } = process.env;
    this.#child = spawn(process.execPath, [main, folder], {
      detached: true, // a session of its own: Ctrl-C at the terminal doesn't reach it
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      env,
      cwd: "/",
    });
    this.#child.on("message", (message) => this.#receive(message as FromWatcher));
    this.#child.once("error", (error) => this.#die(error.message));
    this.#child.once("exit", (code, signal) => this.#die(`exit code ${code}, signal ${signal}`));
    this.#ready.promise.catch(() => {});
    this.#child.unref();
    this.#child.channel?.unref();
  }

  /** Set once it has ended without having been asked to. */
  get death(): Error | undefined {
    return this.#ended ? undefined : this.#death;
  }

  #receive(message: FromWatcher): void {
    if (message.kind === "ready") {
      this.#ready.resolve();
      return;
    }
    if (message.kind === "exit") {
      this.#exits.get(message.key)?.({ code: message.code, signal: message.signal });
      this.#exits.delete(message.key);
      return;
    }
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.kind === "reply") pending?.resolve(message.value);
    else pending?.reject(Object.assign(new Error(message.message), { code: message.code }));
  }

  #die(detail: string): void {
    if (this.#death) return;
    this.#death = watcherDied(detail);
    this.#ready.reject(this.#death);
    for (const pending of this.#pending.values()) pending.reject(this.#death);
    this.#pending.clear();
    for (const reject of this.#mortal) reject(this.#death);
    for (const resolve of this.#exits.values()) resolve({ code: null, signal: "SIGKILL" });
    this.#exits.clear();
    if (this.#finished) {
      this.#gone.resolve();
      return;
    }
    // Killed from outside: its children are ours to end now.
    endRun(this.#folder)
      .catch(() => {})
      .finally(() => this.#gone.resolve());
  }

  /** Resolves when the run's folder is there and the watcher watches. */
  ready(): Promise<void> {
    return this.#awake(() => this.#ready.promise);
  }

  /** Work that waits for servers which all end with the watcher: rejects when it dies, at once if it has. */
  async whileAlive<T>(work: () => Promise<T>): Promise<T> {
    if (this.death) throw this.death;
    const { promise, reject } = Promise.withResolvers<never>();
    this.#mortal.add(reject);
    try {
      return await Promise.race([work(), promise]);
    } finally {
      this.#mortal.delete(reject);
    }
  }

  /** Asks, and keeps this process alive until the answer is there; a run as such doesn't. */
  ask(request: Request): Promise<number | undefined> {
    return this.#awake(() => this.#ask(request));
  }

  async #awake<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    // Both: of a watcher that dies, the channel is closed before its end is told.
    this.#child.ref();
    this.#child.channel?.ref();
    try {
      return await work();
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) {
        this.#child.unref();
        this.#child.channel?.unref();
      }
    }
  }

  async #ask(request: Request): Promise<number | undefined> {
    await this.#ready.promise;
    if (this.#death) throw this.#death;
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    this.#pending.set(id, { resolve, reject });
    this.#child.send({ ...request, id } satisfies ToWatcher, (error) => {
      if (error) reject(this.#death ?? watcherDied(error.message));
    });
    return promise;
  }

  async launch(key: string, launch: Launch): Promise<Launched> {
    const { promise: exited, resolve } = Promise.withResolvers<Exit>();
    let ended: Exit | undefined;
    this.#exits.set(key, (exit) => {
      ended = exit;
      resolve(exit);
    });
    const pid = await this.ask({ op: "launch", key, launch });
    return { key, pid: pid ?? 0, exited, ended: () => ended };
  }

  /** Launches a program and waits for its end. */
  run(key: string, launch: Launch): Promise<Exit> {
    return this.#awake(async () => (await this.launch(key, launch)).exited);
  }

  /** Ends everything that the watcher holds, and the watcher. */
  async end(): Promise<void> {
    if (!this.#death && !this.#ended) {
      this.#ended = true;
      await this.ask({ op: "end" }).then(
        () => {
          this.#finished = true;
        },
        () => {},
      );
    }
    if (this.#child.pid !== undefined) {
      this.#child.ref();
      await this.#gone.promise;
    }
  }
}
