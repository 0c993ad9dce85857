/** Clients in a process of their own: what one contender's leave in memory, another one's would have to clean up. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Answer, Question } from "./clients.ts";
import type { ContenderName } from "./contenders.ts";
import type { Load, Sample } from "./load.ts";
import type { RelayStage } from "./relay.ts";

export class ClientsProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  /** Never resolves. */
  readonly #ended: Promise<never>;

  private constructor(name: ContenderName, stage: RelayStage) {
    this.#child = fork(new URL("./clients.ts", import.meta.url), [name, JSON.stringify(stage)]);
    this.#ended = once(this.#child, "exit").then(([code]) => {
      throw new Error(`The clients of ${name} ended with ${code}.`);
    });
    this.#ended.catch(() => {});
  }

  /** Resolves when all are connected. @throws where it ends before that; it has said why by then */
  static async start(name: ContenderName, stage: RelayStage): Promise<ClientsProcess> {
    const clients = new ClientsProcess(name, stage);
    await clients.#message();
    return clients;
  }

  /** @throws when a change is refused, a connection closed, or something doesn't arrive at all */
  async run(load: Load): Promise<Sample> {
    return (await this.#ask({ load })) as Sample;
  }

  /** Of the server, in bytes. */
  async memory(): Promise<number> {
    return (await this.#ask({})) as number;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended.catch(() => {});
  }

  async #ask(question: Question): Promise<Sample | number> {
    const answered = this.#message();
    this.#child.send(question);
    const answer = (await answered) as Answer;
    if ("error" in answer) throw new Error(answer.error);
    return answer.value;
  }

  async #message(): Promise<unknown> {
    const [message] = await Promise.race([once(this.#child, "message"), this.#ended]);
    return message;
  }
}
