/** A server in a process of its own, so that what it takes is its own, too. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { FREED, type Ready, type Usage } from "./servers/child.ts";

export class ServerProcess implements AsyncDisposable {
  readonly address: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, { address }: Ready) {
    this.#child = child;
    this.address = address;
  }

  /** @param file of `servers/` @throws where it ends before it is ready; it has said why by then */
  static async start(file: string, args: readonly string[] = []): Promise<ServerProcess> {
    const module = new URL(`./servers/${file}`, import.meta.url);
    const child = fork(module, args, { execArgv: ["--expose-gc"] });
    const ended = once(child, "exit").then(([code]) => {
      throw new Error(`The server of ${file} ended with ${code} before it took connections.`);
    });
    const [ready] = await Promise.race([once(child, "message"), ended]);
    ended.catch(() => {});
    return new ServerProcess(child, ready as Ready);
  }

  usage(): Promise<Usage> {
    return this.#ask("usage");
  }

  /** Its resident memory, without what can be freed, in bytes. */
  async memory(): Promise<number> {
    return (await this.#ask(FREED)).rssBytes;
  }

  async #ask(message: string): Promise<Usage> {
    const answer = once(this.#child, "message");
    this.#child.send(message);
    const [usage] = await answer;
    return usage as Usage;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = once(this.#child, "exit");
    this.#child.disconnect();
    await gone;
  }
}
