/** The log of a board in PostgreSQL. Who appends or compacts has the board to itself. */
import { createHash } from "node:crypto";
import type { Actor, Change, DocumentId, Version } from "../../contract.ts";
import type { Query } from "./store.ts";

/** The name under which servers tell one another that a board has grown. */
export const GROWN = "board_grown";

/** Where a log ends, or ended. */
export interface Head {
  readonly position: number;
  /** Over all rows up to there; empty before the first. */
  readonly hash: Buffer;
}

export interface Snapshot {
  readonly position: number;
  readonly version: Version;
  readonly bytes: Buffer;
}

interface Row extends Change {
  readonly position: number;
  readonly hash: Buffer;
}

/** What comes after a position. */
export interface Page {
  /** Where rows that come next were compacted. */
  readonly snapshot?: Snapshot;
  readonly rows: readonly Row[];
}

/** Rows that are read at a time, and about how many bytes of them. */
const PAGE = { rows: 200, bytes: 256 * 1_024 };

export async function headOf(query: Query, document: DocumentId): Promise<Head> {
  await query("INSERT INTO boards (document) VALUES ($1) ON CONFLICT DO NOTHING", [document]);
  const [head] = await query<Head>(
    "SELECT position::float8 AS position, head AS hash FROM boards WHERE document = $1",
    [document],
  );
  return head as Head;
}

/** Nothing, only where there is nothing more. */
export async function pageAfter(query: Query, document: DocumentId, from: number): Promise<Page> {
  const rows = await query<Row>(
    `SELECT * FROM (
       SELECT position::float8 AS position, actor, seq, bytes, hash,
         sum(octet_length(bytes)) OVER (ORDER BY operations.position) - octet_length(bytes) AS before
       FROM operations
       WHERE document = $1 AND operations.position > $2 AND operations.position <= $2 + $3
     ) page WHERE before < $4 ORDER BY page.position`,
    [document, from, PAGE.rows, PAGE.bytes],
  );
  if (rows[0]?.position === from + 1) return { rows };
  const [snapshot] = await query<Snapshot>(
    `SELECT snapshot_position::float8 AS position, snapshot_version AS version, snapshot AS bytes
     FROM boards WHERE document = $1 AND snapshot_position > $2`,
    [document, from],
  );
  return snapshot ? { snapshot, rows: [] } : { rows };
}

/** @returns where the log ends then */
export async function append(
  query: Query,
  document: DocumentId,
  before: Head,
  changes: readonly Change[],
): Promise<Head> {
  let head = before;
  for (const change of changes) {
    const position = head.position + 1;
    const hash = hashOf(head.hash, document, { ...change, position });
    await query(
      `INSERT INTO operations (document, position, actor, seq, bytes, hash)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [document, position, change.actor, change.seq, Buffer.from(change.bytes), hash],
    );
    head = { position, hash };
  }
  if (head === before) return head;
  await query(
    `WITH grown AS (UPDATE boards SET position = $2, head = $3 WHERE document = $1)
     SELECT pg_notify('${GROWN}', $1)`,
    [document, head.position, head.hash],
  );
  return head;
}

/** Puts all up to the head into a snapshot. @returns how many rows were removed */
export async function replace(
  query: Query,
  document: DocumentId,
  { position, hash }: Head,
  { version, bytes }: { readonly version: Readonly<Record<Actor, number>>; bytes: Uint8Array },
): Promise<number> {
  const removed = await query(
    "DELETE FROM operations WHERE document = $1 AND position <= $2 RETURNING position",
    [document, position],
  );
  await query(
    `UPDATE boards SET snapshot = $2, snapshot_position = $3, snapshot_head = $4,
       snapshot_version = $5 WHERE document = $1`,
    [document, Buffer.from(bytes), position, hash, JSON.stringify(version)],
  );
  return removed.length;
}

/** @returns the first position whose row isn't what was written there; null if there is none */
export async function firstWrong(query: Query, document: DocumentId): Promise<number | null> {
  const [board] = await query<Head & { readonly from: number; readonly before: Buffer }>(
    `SELECT position::float8 AS position, head AS hash, snapshot_position::float8 AS from,
       snapshot_head AS before FROM boards WHERE document = $1`,
    [document],
  );
  if (!board) return null;
  const rows = await query<Row>(
    `SELECT position::float8 AS position, actor, seq, bytes, hash FROM operations
     WHERE document = $1 ORDER BY operations.position`,
    [document],
  );
  let { from: position, before: hash } = board;
  for (const row of rows) {
    position += 1;
    hash = hashOf(hash, document, row);
    if (row.position !== position || !hash.equals(row.hash)) return position;
  }
  if (position < board.position) return position + 1;
  return position === board.position && hash.equals(board.hash) ? null : position;
}

function hashOf(before: Uint8Array, document: DocumentId, row: Omit<Row, "hash">): Buffer {
  const { position, actor, seq, bytes } = row;
  const said = JSON.stringify([document, position, actor, seq]);
  return createHash("sha256").update(before).update(said).update(bytes).digest();
}
