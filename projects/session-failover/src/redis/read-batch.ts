/**
 * Reads that begin in one turn of the event loop, sent as one MGET. What a read costs this process
 * is mostly the command around it (encoding, a time limit, a packet), and that is paid once for all
 * of them. A read that is alone waits for nothing but the end of the turn.
 */
import type { Connection } from "./link.ts";

/** Redis serves nobody else during a command, and the readers of one command wait for all of it. */
export const MAX_KEYS = 16;

/** In the order of the keys: what is stored, or null for nothing. */
export type Values = readonly (string | null)[];

export class ReadBatch {
  readonly connection: Connection;
  readonly keys: string[] = [];
  /** Not there when Redis did not answer. */
  readonly values: Promise<Values | undefined>;
  #send: (() => void) | undefined;

  constructor(connection: Connection, send: (keys: string[]) => Promise<Values | undefined>) {
    this.connection = connection;
    this.values = new Promise((resolve) => {
      this.#send = () => {
        this.#send = undefined;
        resolve(send(this.keys));
      };
    });
    process.nextTick(() => this.#send?.());
  }

  takes(connection: Connection): boolean {
    return this.#send !== undefined && this.connection === connection;
  }

  /** @returns where among the values the answer will be */
  add(key: string): number {
    const at = this.keys.push(key) - 1;
    // Redis works on this one while the next is put together.
    if (this.keys.length === MAX_KEYS) this.#send?.();
    return at;
  }
}
