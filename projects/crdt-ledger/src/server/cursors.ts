/** Cursors on their way to the other servers: the latest of each, one message at a time. */
import { z } from "zod";
import type { DocumentId } from "../../contract.ts";
import { POINTED } from "./bus.ts";
import type { Database } from "./database.ts";
import { cursor, documentId } from "./frames.ts";
import type { Cursor } from "./room.ts";

const message = z.object({ from: z.string(), document: documentId, cursor });

export class Cursors {
  readonly #database: Database;
  readonly #server: string;
  readonly #waiting = new Map<string, string>();
  #sending = false;

  /** @param server its name: what it tells comes back to it as well */
  constructor(database: Database, server: string) {
    this.#database = database;
    this.#server = server;
  }

  send(document: DocumentId, cursor: Cursor): void {
    const text = JSON.stringify({ from: this.#server, document, cursor });
    this.#waiting.set(`${document} ${cursor.actor}`, text);
    if (this.#sending) return;
    this.#sending = true;
    void this.#send().finally(() => {
      this.#sending = false;
    });
  }

  /** @returns what another server tells; null for what is of this one, or isn't understood */
  read(payload: string): { readonly document: DocumentId; readonly cursor: Cursor } | null {
    try {
      const { from, ...told } = message.parse(JSON.parse(payload));
      return from === this.#server ? null : told;
    } catch {
      return null;
    }
  }

  async #send(): Promise<void> {
    while (this.#waiting.size > 0) {
      const texts = [...this.#waiting.values()];
      this.#waiting.clear();
      // One that is lost is made up for by the next one: they are kept nowhere.
      await this.#database
        .query(
          this.#database.budget(),
          `SELECT pg_notify('${POINTED}', text) FROM unnest($1::text[]) AS text`,
          [texts],
        )
        .catch(() => {});
    }
  }
}
