/** Those who are on one document, on this server. */
import type { DocumentId } from "../../contract.ts";
import type { Connection } from "./connection.ts";
import type { Database } from "./database.ts";
import { Parcel } from "./frames.ts";
import type { Log, Row, Snapshot } from "./log.ts";
import type { Audience, StoredDocument } from "./stored-document.ts";

export interface Cursor {
  readonly type: "cursor";
  readonly actor: string;
  readonly x: number;
  readonly y: number;
}

export class Room implements Audience {
  readonly document: DocumentId;
  readonly stored: StoredDocument;
  /** Those who have all that there is up to `position`, and hear of the rest. */
  readonly connections = new Set<Connection>();
  /** How many connections there are, with those that are yet to hear what there is. */
  seats = 0;
  readonly #database: Database;
  readonly #log: Log;
  readonly #pointed: (cursor: Cursor) => void;
  #position = 0;
  #reading = false;
  #again = false;

  /** @param pointed tells the other servers of a cursor */
  constructor(
    document: DocumentId,
    stored: StoredDocument,
    { database, log }: { readonly database: Database; readonly log: Log },
    pointed: (cursor: Cursor) => void,
  ) {
    this.document = document;
    this.stored = stored;
    this.#database = database;
    this.#log = log;
    this.#pointed = pointed;
    stored.tell(this);
  }

  /** Up to where everybody in here has been told. */
  get position(): number {
    return this.#position;
  }

  /** @param position up to where this client has been told, which is no less than the others */
  join(connection: Connection, position: number): void {
    if (this.connections.size === 0) this.#position = Math.max(this.#position, position);
    this.connections.add(connection);
    // While nobody was here, nobody looked.
    this.wake();
  }

  /**
   * Another server may have stored something, or this one.
   * @param upTo where the log ends, as far as somebody knows
   */
  grown(upTo: number): void {
    // What this server stores it hands on itself; where it fails, it says so.
    if (upTo > Math.max(this.#position, this.stored.expected)) this.wake();
  }

  /** This server has stored something. */
  hand(rows: readonly Row[]): void {
    if (this.connections.size === 0) return;
    // Whoever reads meanwhile, or has yet to read what came before, comes to these as well.
    if (this.#reading || rows[0]?.position !== this.#position + 1) this.wake();
    else {
      this.#deliver(null, rows);
      this.#position += rows.length;
    }
  }

  /** There may be something new. What can't be read now is read when this is called again. */
  wake(): void {
    if (this.connections.size === 0) return;
    this.#again = true;
    if (this.#reading) return;
    this.#reading = true;
    this.#read()
      .catch(() => {})
      .finally(() => {
        this.#reading = false;
      });
  }

  /** @param from who needn't be told; without, it comes from another server */
  point(cursor: Cursor, from?: Connection): void {
    for (const connection of this.connections) {
      if (connection !== from) connection.tell(cursor);
    }
    if (from) this.#pointed(cursor);
  }

  async #read(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      const page = await this.#log.after(
        this.#database.budget(),
        this.document,
        this.#position,
        {},
      );
      this.#deliver(page.snapshot, page.rows);
      this.#position = Math.max(this.#position, page.position);
      if (page.more) this.#again = true;
    }
  }

  #deliver(snapshot: Snapshot | null, rows: readonly Row[]): void {
    const parcel = new Parcel(rows);
    for (const connection of this.connections) connection.deliver(snapshot, parcel);
  }
}
