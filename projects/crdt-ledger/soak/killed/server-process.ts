/** A server that is killed, and started again at once; its next process has another address. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { DocumentId, ServerConfig } from "../../contract.ts";
import type { Answered, Asked, Ready } from "./server.ts";

interface Call extends PromiseWithResolvers<number | null> {
  /** Who is asked. */
  readonly child: ChildProcess;
}

export class ServerProcess implements AsyncDisposable {
  readonly #index: string;
  readonly #config: ServerConfig;
  readonly #compileCache: string;
  readonly #calls = new Map<number, Call>();
  #child: ChildProcess;
  #address: Promise<string>;
  #serial = 0;
  #crashes: string[] = [];
  #ending = false;

  /**
   * @param index the `index.ts` of a submission
   * @param compileCache a folder in which one process leaves for the next what it has compiled: half of its start
   */
  constructor(index: string, config: ServerConfig, compileCache: string) {
    this.#index = index;
    this.#config = config;
    this.#compileCache = compileCache;
    [this.#child, this.#address] = this.#start();
  }

  get name(): string {
    return this.#config.name;
  }

  /** Of the process that is alive, when it takes connections; rejects where it is killed before. */
  get address(): Promise<string> {
    return this.#address;
  }

  /** How those of its processes ended that nobody has killed; each is told once. */
  crashes(): string[] {
    return this.#crashes.splice(0);
  }

  /** SIGKILL. The next process is on its way when this returns. */
  kill(): void {
    const killed = this.#child;
    [this.#child, this.#address] = this.#start();
    killed.kill("SIGKILL");
  }

  /** @throws Error with the code that the server gave, or where it died meanwhile */
  async ask(what: Asked["what"], document: DocumentId): Promise<number | null> {
    await this.#address;
    this.#serial += 1;
    const child = this.#child;
    const call: Call = { child, ...Promise.withResolvers<number | null>() };
    const id = this.#serial;
    this.#calls.set(id, call);
    child.send({ id, what, document } satisfies Asked, (error) => {
      if (error) this.#calls.get(id)?.reject(error);
    });
    return await call.promise.finally(() => this.#calls.delete(id));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }

  #start(): [ChildProcess, Promise<string>] {
    const module = new URL("./server.ts", import.meta.url);
    const env = { ...process.env, NODE_COMPILE_CACHE: this.#compileCache };
    const child = fork(module, [this.#index, JSON.stringify(this.#config)], { env });
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    // Whoever asks for it later is told.
    promise.catch(() => {});
    child.once("message", ({ address }: Ready) => {
      resolve(address);
      child.on("message", ({ id, result, error }: Answered) => {
        if (error === undefined) this.#calls.get(id)?.resolve(result ?? null);
        else this.#calls.get(id)?.reject(new Error(error));
      });
    });
    child.once("exit", (code, signal) => {
      const how = `Server ${this.name} ended with ${signal ?? code}.`;
      if (signal !== "SIGKILL" && !this.#ending) this.#crashes.push(how);
      reject(new Error(how));
      for (const call of this.#calls.values())
        if (call.child === child) call.reject(new Error(how));
    });
    return [child, promise];
  }
}
