/** What servers tell one another through PostgreSQL. */
import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";
import type { DocumentId } from "../../contract.ts";
import { GROWN } from "./log.ts";

/** The name under which servers tell one another of cursors. */
export const POINTED = "crdt_ledger_pointed";
/**
 * How often to ask how far the documents are, in milliseconds: what was notified while the connection
 * was broken, or seemed whole, is notified to nobody.
 */
const LOOK_MS = 500;
const RETRY_MS = 200;

export interface Listener {
  /** Those that somebody here is on, and how far everybody has been told. */
  documents(): ReadonlyMap<DocumentId, number>;
  grown(document: DocumentId, upTo: number): void;
  /** @param payload whatever was sent as {@link POINTED} */
  pointed(payload: string): void;
}

export class Bus {
  readonly #url: string;
  readonly #budgetMs: number;
  readonly #listener: Listener;
  readonly #closing = new AbortController();
  readonly #over: Promise<void>;

  constructor(url: string, budgetMs: number, listener: Listener) {
    this.#url = url;
    this.#budgetMs = budgetMs;
    this.#listener = listener;
    this.#over = this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#over;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      // However it ended, there will be another connection.
      await this.#listen().catch(() => {});
      await wait(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #listen(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#url,
      connectionTimeoutMillis: this.#budgetMs,
      query_timeout: this.#budgetMs,
    });
    const lost = new AbortController();
    const signal = AbortSignal.any([this.#closing.signal, lost.signal]);
    client.on("error", () => lost.abort());
    client.on("end", () => lost.abort());
    client.on("notification", ({ channel, payload = "" }) => {
      const [document = "", upTo] = payload.split(" ");
      if (channel === GROWN) this.#listener.grown(document, Number(upTo));
      else this.#listener.pointed(payload);
    });
    try {
      await client.connect();
      await client.query(`LISTEN ${GROWN}; LISTEN ${POINTED}`);
      while (!signal.aborted) {
        await this.#look(client);
        await wait(LOOK_MS, undefined, { signal });
      }
    } finally {
      // Nobody waits for a goodbye that may never be answered.
      client.end().catch(() => {});
    }
  }

  async #look(client: pg.Client): Promise<void> {
    const told = this.#listener.documents();
    const { rows } = await client.query<{ document: DocumentId; position: string }>(
      "SELECT document, position FROM documents WHERE document = ANY($1)",
      [[...told.keys()]],
    );
    for (const { document, position } of rows) {
      if (Number(position) > (told.get(document) ?? 0)) {
        this.#listener.grown(document, Number(position));
      }
    }
  }
}
