/** Keeps a connection as long as it is wanted: whenever one is over, there will be another one. */
import { type Point, Visit, type Visitor } from "./visit.ts";

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 4_000;

export type Status = "online" | "connecting" | "offline";

export interface LinkOwner extends Visitor {
  /** @param attempt 0, 1, …: how many have failed before, one after the other */
  address(attempt: number): Promise<string>;
  linked(status: Status): void;
}

export class Link {
  readonly #owner: LinkOwner;
  #wanted: AbortController | undefined;
  #visit: Visit | undefined;
  #retry = () => {};

  constructor(owner: LinkOwner) {
    this.#owner = owner;
  }

  open(): void {
    if (this.#wanted) return;
    this.#wanted = new AbortController();
    void this.#stay(this.#wanted.signal);
  }

  /** Until it is opened again. */
  close(): void {
    this.#wanted?.abort();
    this.#wanted = undefined;
    this.#visit?.leave();
    this.#owner.linked("offline");
  }

  wake(): void {
    this.#visit?.wake();
  }

  point(point: Point): void {
    this.#visit?.point(point);
  }

  /** The network is said to be gone: the connection may not know it for minutes. */
  drop(): void {
    this.#visit?.leave();
  }

  /** The network is said to be there again: why wait? */
  retry(): void {
    this.#retry();
  }

  async #stay(signal: AbortSignal): Promise<void> {
    for (let failed = 0; !signal.aborted; ) {
      this.#owner.linked("connecting");
      const good = await this.#once(failed, signal);
      failed = good ? 0 : failed + 1;
      if (signal.aborted) return;
      this.#owner.linked("offline");
      const wait = Math.min(FIRST_WAIT_MS * 2 ** failed, LONGEST_WAIT_MS);
      // Not all who lost the same server are to come back at the same moment.
      await this.#pause(wait * (0.5 + Math.random() / 2));
    }
  }

  async #once(failed: number, signal: AbortSignal): Promise<boolean> {
    try {
      const address = await this.#owner.address(failed);
      if (signal.aborted) return false;
      const visit = new Visit(address, this.#owner);
      this.#visit = visit;
      return await visit.over;
    } catch {
      return false;
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#retry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
