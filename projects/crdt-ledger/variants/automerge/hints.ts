/** One connection to PostgreSQL that others' hints come on; what they forget to say is asked for now and then. */
import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";
import { z } from "zod";
import type { DocumentId } from "../../contract.ts";
import { GROWN } from "./log.ts";
import { type Cursor, cursor, jsonIn } from "./wire.ts";

const POINTED = "board_pointed";
/** How often to ask how far the boards are, and to try again, in milliseconds. */
const ASK_MS = 400;
const RETRY_MS = 200;

const pointing = z.object({ server: z.string(), document: z.string(), cursor });

export interface Ears {
  /** Those that somebody here is on, and how far everybody has been told. */
  boards(): ReadonlyMap<DocumentId, number>;
  grown(document: DocumentId): void;
  pointed(document: DocumentId, cursor: Cursor): void;
}

export class Hints {
  readonly #url: string;
  readonly #server: string;
  readonly #budgetMs: number;
  readonly #ears: Ears;
  readonly #closing = new AbortController();
  readonly #over: Promise<void>;
  /** The latest of each, until they are told. */
  readonly #cursors = new Map<string, string>();
  #wake: () => void = () => {};

  /** @param server its name: what it tells comes back to it as well */
  constructor(url: string, server: string, budgetMs: number, ears: Ears) {
    this.#url = url;
    this.#server = server;
    this.#budgetMs = budgetMs;
    this.#ears = ears;
    this.#over = this.#run();
  }

  point(document: DocumentId, at: Cursor): void {
    const said = JSON.stringify({ server: this.#server, document, cursor: at });
    this.#cursors.set(`${document} ${at.actor}`, said);
    this.#wake();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
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
    client.on("error", () => {});
    client.on("notification", ({ channel, payload = "" }) => {
      if (channel === GROWN) this.#ears.grown(payload);
      else this.#hear(payload);
    });
    try {
      await client.connect();
      await client.query(`LISTEN ${GROWN}; LISTEN ${POINTED}`);
      while (!this.#closing.signal.aborted) {
        await this.#ask(client);
        await this.#tell(client);
        const woken = Promise.withResolvers<void>();
        const timer = setTimeout(woken.resolve, ASK_MS);
        this.#wake = woken.resolve;
        await woken.promise;
        clearTimeout(timer);
      }
    } finally {
      // Nobody waits for a goodbye that may never be answered.
      client.end().catch(() => {});
    }
  }

  async #ask(client: pg.Client): Promise<void> {
    const told = this.#ears.boards();
    if (told.size === 0) return;
    const { rows } = await client.query<{ document: DocumentId; position: number }>(
      "SELECT document, position::float8 AS position FROM boards WHERE document = ANY($1)",
      [[...told.keys()]],
    );
    for (const { document, position } of rows) {
      if (position > (told.get(document) ?? 0)) this.#ears.grown(document);
    }
  }

  async #tell(client: pg.Client): Promise<void> {
    const said = [...this.#cursors.values()];
    this.#cursors.clear();
    if (said.length === 0) return;
    await client.query(`SELECT pg_notify('${POINTED}', said) FROM unnest($1::text[]) AS said`, [
      said,
    ]);
  }

  #hear(payload: string): void {
    const { data } = pointing.safeParse(jsonIn(payload));
    if (data && data.server !== this.#server) this.#ears.pointed(data.document, data.cursor);
  }
}
