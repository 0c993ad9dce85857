/**
 * What clients are to send is made ahead, by a process of its own: where clients made it themselves, they would clean up
 * what that leaves in memory while others wait.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** One change. */
export interface Made<Written> {
  /** Grows with each of the client's. */
  readonly number: number;
  /** As it is sent. */
  readonly written: Written;
}

export class Maker<Written> implements AsyncDisposable {
  readonly #child: ChildProcess;
  /** Never resolves. */
  readonly #ended: Promise<never>;

  /** @param file of `makers/` @param config what that one is told */
  constructor(file: string, config: object) {
    this.#child = fork(new URL(`./makers/${file}`, import.meta.url), [JSON.stringify(config)], {
      execArgv: ["--expose-gc"],
      serialization: "advanced",
    });
    this.#ended = once(this.#child, "exit").then(([code]) => {
      throw new Error(`The maker of ${file} ended with ${code}.`);
    });
    this.#ended.catch(() => {});
  }

  /** @param each so many for each client @returns those of each client @throws where it ends; it has said why */
  async make(each: number): Promise<Made<Written>[][]> {
    const made = once(this.#child, "message");
    this.#child.send(each);
    const [message] = await Promise.race([made, this.#ended]);
    return message as Made<Written>[][];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended.catch(() => {});
  }
}

type Next<Written> = (client: number) => Promise<Made<Written>> | Made<Written>;

/**
 * What a file of `makers/` is there for. It ends with whoever listens.
 * @param open makes ready, and returns what makes the next change of a client
 */
export async function makes<Config extends { readonly clients: number }, Written>(
  open: (config: Config) => Promise<Next<Written>> | Next<Written>,
): Promise<void> {
  const config = JSON.parse(process.argv[2] ?? "{}") as Config;
  const next = open(config);
  process.on("message", async (each: number) => {
    const made: Made<Written>[][] = [];
    for (let client = 0; client < config.clients; client++) {
      const own: Made<Written>[] = [];
      while (own.length < each) own.push(await (await next)(client));
      made.push(own);
    }
    // Its threads are to leave the processors to those who are measured.
    globalThis.gc?.();
    process.send?.(made);
  });
  await once(process, "disconnect");
  process.exit();
}
