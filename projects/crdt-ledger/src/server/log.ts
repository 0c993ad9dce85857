/** The log of all documents' changes, in the tables that `migrate.ts` makes. */
import { hash as digest } from "node:crypto";
import type { Actor, Change, DocumentId, Version } from "../../contract.ts";
import { seqIn } from "../model.ts";
import type { Database } from "./database.ts";

/** Where a log ends, or ended. */
export interface Head {
  readonly position: number;
  /** Over all rows up to there; empty before the first. */
  readonly hash: Buffer;
}

export interface Snapshot extends Head {
  readonly version: Version;
  readonly bytes: Uint8Array;
}

export interface Row extends Change {
  readonly position: number;
  readonly hash: Buffer;
}

/** What comes after a position: a snapshot, or rows, or nothing. */
export interface Page {
  readonly snapshot: Snapshot | null;
  readonly rows: readonly Row[];
  /** Up to where this goes; what comes after it is on the next page. */
  readonly position: number;
  readonly more: boolean;
}

/** bigint comes as text. A document doesn't come to 2^53 changes. */
interface StoredRow extends Omit<Row, "position"> {
  readonly position: string;
}

interface StoredHead {
  readonly position: string;
  readonly head: Buffer;
}

interface StoredSnapshot extends StoredHead {
  readonly version: Version;
  readonly bytes: Buffer;
}

/** With each row, as much of the document as is needed; without any row, once, and the row's are null. */
interface Found {
  readonly end: string;
  readonly compacted: string;
  readonly compactedVersion: Version;
  readonly position: string | null;
}

const NOTHING: Page = { snapshot: null, rows: [], position: 0, more: false };
const HASH_BYTES = 32;
/** Rows that are read at a time. */
const PAGE_ROWS = 500;

/** The name under which servers tell one another which document has grown, and up to where. */
export const GROWN = "crdt_ledger_grown";

/** Whether who has `version` lacks anything that is in `other`. */
export function lacks(version: Version, other: Version): boolean {
  return Object.entries(other).some(([actor, seq]) => seq > seqIn(version, actor));
}

/** Where what is hashed is put together, if there is room: memory of its own would cost more than the hash. */
const scratch = Buffer.allocUnsafeSlow(64 * 1_024);
/** In UTF-8, of one code unit of a string. */
const MOST_BYTES = 3;

function hashOf(
  before: Uint8Array,
  document: DocumentId,
  position: number,
  { actor, seq, bytes }: Change,
): Buffer {
  const where = JSON.stringify([document, position, actor, seq]);
  const most = before.length + MOST_BYTES * where.length + bytes.length;
  const whole = most <= scratch.length ? scratch : Buffer.allocUnsafe(most);
  whole.set(before);
  let end = before.length;
  end += whole.write(where, end);
  whole.set(bytes, end);
  end += bytes.length;
  // A string costs a third of a buffer that has memory of its own.
  return Buffer.from(digest("sha256", whole.subarray(0, end), "binary"), "binary");
}

function rowOf({ position, actor, seq, bytes, hash }: StoredRow): Row {
  return { position: Number(position), actor, seq, bytes, hash };
}

export class Log {
  readonly #database: Database;
  readonly #pageBytes: number;

  /** @param pageBytes about how much is read at a time */
  constructor(database: Database, pageBytes: number) {
    this.#database = database;
    this.#pageBytes = pageBytes;
  }

  /**
   * What comes after a position, without what is in `version`.
   * @throws LedgerError `STORE_UNAVAILABLE`
   */
  async after(
    signal: AbortSignal,
    document: DocumentId,
    position: number,
    version: Version,
  ): Promise<Page> {
    // One statement, so that a compaction comes before all of it or after it.
    const found = await this.#database.query<Found>(
      signal,
      `SELECT d.position AS end, d.snapshot_position AS compacted,
         d.snapshot_version AS "compactedVersion", o.*
       FROM documents d LEFT JOIN LATERAL (
         SELECT position, actor, seq, bytes, hash FROM (
           SELECT *, sum(octet_length(bytes)) OVER (ORDER BY position) - octet_length(bytes) AS before
           FROM (
             SELECT * FROM operations
             WHERE operations.document = d.document AND position > $2
               AND seq > coalesce(($3::jsonb ->> actor)::integer, 0)
             ORDER BY position LIMIT ${PAGE_ROWS}
           ) page
         ) measured
         WHERE before < $4
       ) o ON true
       WHERE d.document = $1 ORDER BY o.position`,
      [document, position, JSON.stringify(version), this.#pageBytes],
    );
    const [first] = found;
    if (!first) return NOTHING;
    const end = Number(first.end);
    if (Number(first.compacted) > position && lacks(version, first.compactedVersion)) {
      const snapshot = await this.#snapshot(signal, document);
      return { snapshot, rows: [], position: snapshot.position, more: true };
    }
    if (first.position === null) return { snapshot: null, rows: [], position: end, more: false };
    const rows = found.map((row) => rowOf(row as unknown as StoredRow));
    const last = Number(rows.at(-1)?.position);
    return { snapshot: null, rows, position: last, more: last < end };
  }

  /**
   * Puts changes after `head`, unless somebody else has put others there.
   * @returns their rows; null if somebody else has
   * @throws LedgerError `STORE_UNAVAILABLE`: whether it is stored is unknown
   */
  async append(
    signal: AbortSignal,
    document: DocumentId,
    head: Head,
    changes: readonly Change[],
  ): Promise<readonly Row[] | null> {
    let { position, hash } = head;
    const rows = changes.map((change) => {
      position += 1;
      hash = hashOf(hash, document, position, change);
      return { ...change, position, hash };
    });
    const ends: number[] = [];
    for (const { bytes } of rows) ends.push((ends.at(-1) ?? 0) + bytes.length);
    // One statement is one message: no lock is held while a server is away or slow. What all rows have
    // comes as one value each: arrays take the client and PostgreSQL longer.
    const told = await this.#database.prepared(
      signal,
      "append",
      `WITH moved AS (
         UPDATE documents SET position = $4, head = $5
         WHERE document = $1 AND position = $2 AND head = $3 RETURNING document
       ), stored AS (
         INSERT INTO operations (document, position, actor, seq, bytes, hash)
         SELECT moved.document, $2 + o.n, o.actor, o.seq,
           substring($6::bytea FROM 1 + o.after FOR o.upto - o.after),
           substring($7::bytea FROM 1 + ${HASH_BYTES} * (o.n::integer - 1) FOR ${HASH_BYTES})
         FROM moved, unnest(
           string_to_array($8, ','), string_to_array($9, ',')::integer[],
           string_to_array($10, ',')::integer[], string_to_array($11, ',')::integer[]
         ) WITH ORDINALITY AS o (actor, seq, after, upto, n)
       )
       SELECT pg_notify('${GROWN}', document || ' ' || $4) FROM moved`,
      [
        document,
        head.position,
        head.hash,
        position,
        hash,
        Buffer.concat(rows.map((row) => row.bytes)),
        Buffer.concat(rows.map((row) => row.hash)),
        rows.map((row) => row.actor).join(),
        rows.map((row) => row.seq).join(),
        [0, ...ends.slice(0, -1)].join(),
        ends.join(),
      ],
    );
    return told.length > 0 ? rows : null;
  }

  /** So that there is a head to append to. @throws LedgerError `STORE_UNAVAILABLE` */
  async create(signal: AbortSignal, document: DocumentId): Promise<void> {
    await this.#database.query(
      signal,
      "INSERT INTO documents (document) VALUES ($1) ON CONFLICT DO NOTHING",
      [document],
    );
  }

  /**
   * An actor's changes from one `seq` to another, as far as their rows are there.
   * @throws LedgerError `STORE_UNAVAILABLE`
   */
  stored(
    signal: AbortSignal,
    document: DocumentId,
    { actor, from, to }: { readonly actor: Actor; readonly from: number; readonly to: number },
  ): Promise<{ readonly seq: number; readonly bytes: Buffer }[]> {
    return this.#database.query(
      signal,
      `SELECT seq, bytes FROM operations
       WHERE document = $1 AND actor = $2 AND seq BETWEEN $3 AND $4`,
      [document, actor, from, to],
    );
  }

  /**
   * Puts a snapshot in place of the rows that are in it, unless a later one is there.
   * @returns how many rows were removed
   * @throws LedgerError `STORE_UNAVAILABLE`: whether it took effect is unknown
   */
  async compact(signal: AbortSignal, document: DocumentId, snapshot: Snapshot): Promise<number> {
    const { position, hash, version, bytes } = snapshot;
    const removed = await this.#database.query(
      signal,
      `WITH compacted AS (
         UPDATE documents SET snapshot_position = $2, snapshot_head = $3, snapshot_version = $4, snapshot = $5
         WHERE document = $1 AND snapshot_position < $2 RETURNING document
       )
       DELETE FROM operations USING compacted
       WHERE operations.document = compacted.document AND position <= $2 RETURNING 1`,
      [document, position, hash, JSON.stringify(version), Buffer.from(bytes)],
    );
    return removed.length;
  }

  /**
   * @returns the first position whose row isn't what was written there; null if there is none
   * @throws LedgerError `STORE_UNAVAILABLE`
   */
  verify(signal: AbortSignal, document: DocumentId): Promise<number | null> {
    return this.#database.reading(signal, async (query) => {
      const [ends] = await query<{ from: string; before: Buffer; to: string; head: Buffer }>(
        `SELECT snapshot_position AS from, snapshot_head AS before, position AS to, head
         FROM documents WHERE document = $1`,
        [document],
      );
      if (!ends) return null;
      let position = Number(ends.from);
      let hash = ends.before;
      for (;;) {
        const found = await query<StoredRow>(
          `SELECT position, actor, seq, bytes, hash FROM operations
           WHERE document = $1 AND position > $2 ORDER BY position LIMIT ${PAGE_ROWS}`,
          [document, position],
        );
        if (found.length === 0) break;
        for (const row of found.map(rowOf)) {
          position += 1;
          if (row.position !== position) return position;
          hash = hashOf(hash, document, position, row);
          if (!hash.equals(row.hash)) return position;
        }
      }
      // Rows at the end have none after them that would tell.
      if (position !== Number(ends.to)) return Math.min(position, Number(ends.to)) + 1;
      return hash.equals(ends.head) ? null : position;
    });
  }

  async #snapshot(signal: AbortSignal, document: DocumentId): Promise<Snapshot> {
    const [found] = await this.#database.query<StoredSnapshot>(
      signal,
      `SELECT snapshot_position AS position, snapshot_head AS head, snapshot_version AS version,
         snapshot AS bytes
       FROM documents WHERE document = $1`,
      [document],
    );
    if (!found) throw new Error(`The document ${document} has been removed.`);
    const { position, head, version, bytes } = found;
    return { position: Number(position), hash: head, version, bytes };
  }
}
