/**
 * Reads that begin in one turn of the event loop, sent as one script. What a read costs this process
 * is mostly the command around it (encoding, a time limit, a packet), and that is paid once for all
 * of them. A read that is alone waits for nothing but the end of the turn.
 */
import { randomUUID } from "node:crypto";
import type { Connection } from "./link.ts";

/** Redis serves nobody else while a script runs: for so many keys, about a tenth of a millisecond. */
const MAX_KEYS = 64;

export class ReadBatch {
  readonly connection: Connection;
  /** Of all leases that this batch gets: each is for another session. */
  readonly token: string = randomUUID();
  readonly keys: string[] = [];
  readonly replies: Promise<readonly unknown[] | undefined>;
  #epoch = 0;
  #sent = false;

  /** `send` replies in the order of the keys, or not at all. */
  constructor(
    connection: Connection,
    send: (batch: ReadBatch) => Promise<readonly unknown[] | undefined>,
  ) {
    this.connection = connection;
    this.replies = new Promise((resolve) => {
      setImmediate(() => {
        this.#sent = true;
        resolve(send(this));
      });
    });
  }

  /** The lowest tag that all of its readers accept. Asking for too much costs a look at PostgreSQL. */
  get epoch(): number {
    return this.#epoch;
  }

  takes(connection: Connection): boolean {
    return !this.#sent && this.connection === connection && this.keys.length < MAX_KEYS;
  }

  /** @returns where in the replies the answer will be */
  add(key: string, epoch: number): number {
    this.#epoch = Math.max(this.#epoch, epoch);
    return this.keys.push(key) - 1;
  }
}
