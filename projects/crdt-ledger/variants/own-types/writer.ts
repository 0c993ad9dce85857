/** Puts changes into the log: whoever has locked the document's row is the only one who does. */
import { createHash } from "node:crypto";
import type pg from "pg";
import type { Actor, Change, DocumentId, Replica } from "../../contract.ts";
import { LedgerError } from "../../src/errors.ts";
import { unavailable, unlessAborted } from "../../src/server/database.ts";
import { GROWN } from "../../src/server/log.ts";
import { startReplica } from "./replica.ts";
import type { Transactions } from "./transactions.ts";

interface Head {
  readonly position: number;
  readonly hash: Buffer;
}

interface Row extends Change {
  readonly position: number;
  readonly hash: Buffer;
}

/** What the log came to when it was last locked here. */
interface Copy {
  readonly replica: Replica;
  readonly position: number;
}

export class Writer {
  readonly #transactions: Transactions;
  readonly #treasurer: Actor;
  readonly #copies = new Map<DocumentId, Copy>();
  readonly #turns = new Map<DocumentId, Promise<unknown>>();

  constructor(transactions: Transactions, treasurer: Actor) {
    this.#transactions = transactions;
    this.#treasurer = treasurer;
  }

  /**
   * @param changes of one actor, whose `seq` follow each other
   * @param sound called when they are found to be so, and not yet stored
   * @returns why they were refused, and nothing was stored; null when all are stored for good
   * @throws LedgerError `STORE_UNAVAILABLE`: whether they are stored is unknown
   */
  push(
    signal: AbortSignal,
    document: DocumentId,
    changes: readonly Change[],
    sound: () => void,
  ): Promise<"INVALID_CHANGE" | "TOO_EARLY" | null> {
    return this.#locked(signal, document, async (client, head, { replica }) => {
      const last = changes.at(-1) as Change;
      const known = (await replica.version(document))[last.actor] ?? 0;
      try {
        await replica.receive(document, changes);
      } catch (error) {
        const refused = error instanceof LedgerError && error.code === "INVALID_CHANGE";
        if (refused) return { head, result: "INVALID_CHANGE" };
        throw error;
      }
      const now = (await replica.version(document))[last.actor] ?? 0;
      // Without a head, the copy, which has taken what must wait, is not kept.
      if (now < last.seq) return { result: "TOO_EARLY" };
      sound();
      const fresh = changes.filter(({ seq }) => seq > known);
      return { head: await append(client, document, head, fresh), result: null };
    });
  }

  /** @returns how many rows were removed @throws LedgerError `STORE_UNAVAILABLE` */
  compact(signal: AbortSignal, document: DocumentId): Promise<number> {
    return this.#locked(signal, document, async (client, head, { replica }) => {
      const version = JSON.stringify(await replica.version(document));
      const snapshot = Buffer.from(await replica.save(document));
      const { rowCount } = await client.query("DELETE FROM operations WHERE document = $1", [
        document,
      ]);
      await client.query(
        `UPDATE documents SET snapshot = $2, snapshot_position = $3, snapshot_head = $4,
           snapshot_version = $5 WHERE document = $1`,
        [document, snapshot, head.position, head.hash, version],
      );
      return { head, result: rowCount ?? 0 };
    });
  }

  /** @returns the first position whose row isn't what was written there; null if there is none */
  verify(signal: AbortSignal, document: DocumentId): Promise<number | null> {
    return this.#transactions.run(signal, async (client) => {
      const { rows: ends } = await client.query<Head & { from: number; before: Buffer }>(
        `SELECT position::float8 AS position, head AS hash, snapshot_position::float8 AS from,
           snapshot_head AS before FROM documents WHERE document = $1 FOR SHARE`,
        [document],
      );
      const [end] = ends;
      if (!end) return null;
      let { from: position, before: hash } = end;
      for (const row of await rowsAfter(client, document, position)) {
        position += 1;
        hash = hashOf(hash, document, row);
        if (row.position !== position || !hash.equals(row.hash)) return position;
      }
      if (position !== end.position) return Math.min(position, end.position) + 1;
      return hash.equals(end.hash) ? null : position;
    });
  }

  /** Has the document to itself, on all servers, with a replica that has all of it. */
  async #locked<T>(
    signal: AbortSignal,
    document: DocumentId,
    work: (
      client: pg.ClientBase,
      head: Head,
      copy: Copy,
    ) => Promise<{ readonly head?: Head; readonly result: T }>,
  ): Promise<T> {
    return this.#inTurn(signal, document, async () => {
      const before = this.#copies.get(document);
      // Until it is certain what was stored, nothing here is.
      this.#copies.delete(document);
      const { copy, result } = await this.#transactions.run(signal, async (client) => {
        if (!before) {
          const create = "INSERT INTO documents (document) VALUES ($1) ON CONFLICT DO NOTHING";
          await client.query(create, [document]);
        }
        const { rows } = await client.query<Head & { compacted: number }>(
          `SELECT position::float8 AS position, head AS hash,
             snapshot_position::float8 AS compacted
           FROM documents WHERE document = $1 FOR UPDATE`,
          [document],
        );
        const [head] = rows;
        if (!head) throw new Error(`The document ${document} has been removed.`);
        const current = await this.#caughtUp(client, document, head, before);
        const { head: after, result } = await work(client, head, current);
        return { result, copy: after && { ...current, position: after.position } };
      });
      if (copy) this.#copies.set(document, copy);
      return result;
    });
  }

  async #caughtUp(
    client: pg.ClientBase,
    document: DocumentId,
    { position: end, compacted }: Head & { readonly compacted: number },
    before: Copy | undefined,
  ): Promise<Copy> {
    const replica =
      before?.replica ?? startReplica({ actor: "server", treasurer: this.#treasurer });
    let position = before?.position ?? 0;
    if (compacted > position) {
      const { rows } = await client.query<{ snapshot: Buffer }>(
        "SELECT snapshot FROM documents WHERE document = $1",
        [document],
      );
      await replica.load(document, rows[0]?.snapshot ?? new Uint8Array());
      position = compacted;
    }
    await replica.receive(document, await rowsAfter(client, document, position));
    return { replica, position: end };
  }

  /** One after the other: those who wait hold no connection. */
  async #inTurn<T>(signal: AbortSignal, document: DocumentId, work: () => Promise<T>): Promise<T> {
    const turn = this.#turns.get(document);
    const over = Promise.withResolvers<void>();
    const next = Promise.resolve(turn).then(() => over.promise);
    this.#turns.set(document, next);
    try {
      await unlessAborted(signal, Promise.resolve(turn)).catch((cause) => {
        throw unavailable(cause);
      });
      return await work();
    } finally {
      over.resolve();
      if (this.#turns.get(document) === next) this.#turns.delete(document);
    }
  }
}

async function rowsAfter(
  client: pg.ClientBase,
  document: DocumentId,
  position: number,
): Promise<Row[]> {
  const { rows } = await client.query<Row>(
    `SELECT position::float8 AS position, actor, seq, bytes, hash FROM operations
     WHERE document = $1 AND position > $2 ORDER BY operations.position`,
    [document, position],
  );
  return rows;
}

async function append(
  client: pg.ClientBase,
  document: DocumentId,
  { position, hash }: Head,
  changes: readonly Change[],
): Promise<Head> {
  let head = { position, hash };
  for (const change of changes) {
    const row = { ...change, position: head.position + 1 };
    head = { position: row.position, hash: hashOf(head.hash, document, row) };
    await client.query(
      `INSERT INTO operations (document, position, actor, seq, bytes, hash)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [document, row.position, row.actor, row.seq, Buffer.from(row.bytes), head.hash],
    );
  }
  if (changes.length === 0) return head;
  await client.query("UPDATE documents SET position = $2, head = $3 WHERE document = $1", [
    document,
    head.position,
    head.hash,
  ]);
  // It is told when this is committed, and not before.
  await client.query(`SELECT pg_notify('${GROWN}', $1)`, [document]);
  return head;
}

function hashOf(before: Uint8Array, document: DocumentId, row: Omit<Row, "hash">): Buffer {
  const said = JSON.stringify([document, row.position, row.actor, row.seq]);
  return createHash("sha256").update(before).update(said).update(row.bytes).digest();
}
