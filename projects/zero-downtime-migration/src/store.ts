/** One store: its accounts, how often each was written, and what the other store has of it. */
import type { Account, Phase, StoreName } from "../contract.ts";
import type { Dialect, Row } from "./account.ts";
import type { Connection, Database } from "./database.ts";
import { alreadyExists, notFound } from "./errors.ts";

export interface Entry {
  readonly id: string;
  /** Of how many writes this is the outcome; 0 for an id that nobody wrote or copied yet. */
  readonly version: number;
  /** Up to which of them the other store has it. */
  readonly carried: number;
  readonly account: Account | null;
}

export interface Word {
  /** Whether this store has the last word. */
  readonly open: boolean;
  readonly phase: Phase;
  /** How often the last word has passed on. */
  readonly epoch: number;
  /** Whether every row that was there before has been noted for the other store. */
  readonly copied_all: boolean;
}

type EntryRow = Row & { id: string; version: number; carried: number; present: boolean };

export class Store {
  readonly name: StoreName;
  readonly database: Database;
  readonly #dialect: Dialect;
  readonly #entry: string;

  constructor(name: StoreName, database: Database, dialect: Dialect) {
    this.name = name;
    this.database = database;
    this.#dialect = dialect;
    this.#entry = `coalesce(v.version, 0)::float8 AS version, coalesce(v.carried, 0)::float8 AS carried,
      a.id IS NOT NULL AS present, ${dialect.columns}`;
  }

  async word(connection: Connection = this.database): Promise<Word> {
    const { rows } = await connection.query<Word>(
      "SELECT open, phase, epoch::float8, copied_all FROM migration",
    );
    return rows[0] as Word;
  }

  /** In one statement, so that word, rows and versions are of one moment. */
  async read(ids: readonly string[]): Promise<{ word: Word; entries: Entry[] }> {
    const { rows } = await this.database.query<EntryRow & Word>(
      `SELECT m.open, m.phase, m.epoch::float8, m.copied_all, i.id, ${this.#entry}
       FROM migration m CROSS JOIN unnest($1::text[]) WITH ORDINALITY AS i (id, place)
       LEFT JOIN accounts a ON a.id = i.id LEFT JOIN account_versions v ON v.id = i.id
       ORDER BY i.place`,
      [ids],
    );
    return { word: rows[0] as Word, entries: rows.map((row) => this.#toEntry(row)) };
  }

  /** All entries after one id, in the order of their bytes, up to another one or at most `limit`. */
  async range(after: string, { upTo, limit }: { upTo?: string; limit?: number }): Promise<Entry[]> {
    const ids = (table: string) =>
      `(SELECT id FROM ${table} WHERE id COLLATE "C" > $1 AND ($2::text IS NULL OR id COLLATE "C" <= $2)
        ORDER BY id COLLATE "C" LIMIT $3)`;
    const { rows } = await this.database.query<EntryRow>(
      `SELECT i.id, ${this.#entry} FROM (${ids("accounts")} UNION ${ids("account_versions")}) i
       LEFT JOIN accounts a ON a.id = i.id LEFT JOIN account_versions v ON v.id = i.id
       ORDER BY i.id COLLATE "C" LIMIT $3`,
      [after, upTo ?? null, limit ?? null],
    );
    return rows.map((row) => this.#toEntry(row));
  }

  create(account: Account): Promise<void> {
    return this.#writing(account.id, async (connection) => {
      const { rowCount } = await this.#insert(connection, [account], "DO NOTHING");
      if (rowCount === 0) throw alreadyExists(account.id);
    });
  }

  update(id: string, change: Partial<Account>): Promise<void> {
    return this.#writing(id, async (connection) => {
      const { rows } = await connection.query<Row>(
        `SELECT ${this.#dialect.columns} FROM accounts a WHERE a.id = $1`,
        [id],
      );
      if (!rows[0]) throw notFound(id);
      const account = { ...this.#dialect.parse(id, rows[0]), ...change };
      await this.#insert(connection, [account], this.#replace());
    });
  }

  remove(id: string): Promise<void> {
    return this.#writing(id, async (connection) => {
      const { rowCount } = await connection.query("DELETE FROM accounts WHERE id = $1", [id]);
      if (rowCount === 0) throw notFound(id);
    });
  }

  /** Notes ids as written, at a version beyond the given one: they are carried over anew. */
  touch(entries: readonly Pick<Entry, "id" | "version">[]): Promise<void> {
    return this.database.write(async (connection) => {
      await connection.query(
        `INSERT INTO account_versions AS v (id, version, carried)
         SELECT id, version + 1, 0 FROM unnest($1::text[], $2::bigint[]) AS i (id, version) ORDER BY id
         ON CONFLICT (id) DO UPDATE SET version = greatest(v.version + 1, excluded.version)`,
        [entries.map(({ id }) => id), entries.map(({ version }) => version)],
      );
    });
  }

  /**
   * Notes the next rows that nobody wrote or copied yet, so that they are carried over like writes. Those
   * who come too late to be in order need no noting: all writes are noted, from the first deployment on.
   */
  noteNext(limit: number): Promise<void> {
    return this.database.transaction(async (connection) => {
      await connection.query("SELECT FROM migration FOR UPDATE");
      const { rows } = await connection.query<{ last: string | null; count: number }>(
        `WITH next AS (
           SELECT id FROM accounts WHERE id COLLATE "C" > (SELECT copied_to FROM migration)
           ORDER BY id COLLATE "C" LIMIT $1
         ), noted AS (
           INSERT INTO account_versions SELECT id, 1, 0 FROM next ON CONFLICT DO NOTHING
         )
         SELECT max(id COLLATE "C") AS last, count(*)::int FROM next`,
        [limit],
      );
      const { last = null, count = 0 } = rows[0] ?? {};
      await connection.query(
        "UPDATE migration SET copied_to = coalesce($1, copied_to), copied_all = copied_all OR $2",
        [last, count < limit],
      );
    });
  }

  async pending(limit: number): Promise<Entry[]> {
    const { rows } = await this.database.query<EntryRow>(
      `SELECT v.id, ${this.#entry} FROM account_versions v LEFT JOIN accounts a ON a.id = v.id
       WHERE v.carried < v.version ORDER BY v.id LIMIT $1`,
      [limit],
    );
    return rows.map((row) => this.#toEntry(row));
  }

  /** @param among these ids only; default: all */
  async pendingCount(among?: readonly string[]): Promise<number> {
    const { rows } = await this.database.query<{ count: number }>(
      `SELECT count(*)::int FROM account_versions
       WHERE carried < version AND ($1::text[] IS NULL OR id = ANY($1))`,
      [among ?? null],
    );
    return rows[0]?.count ?? 0;
  }

  /** Takes over what is newer than what is here. Twice, late or out of order, it does no harm. */
  apply(entries: readonly Entry[]): Promise<void> {
    return this.database.transaction(async (connection) => {
      const { rows } = await connection.query<{ id: string }>(
        `INSERT INTO account_versions AS v (id, version, carried)
         SELECT id, version, version FROM unnest($1::text[], $2::bigint[]) AS i (id, version) ORDER BY id
         ON CONFLICT (id) DO UPDATE SET version = excluded.version, carried = excluded.version
         WHERE v.version < excluded.version
         RETURNING id`,
        [entries.map(({ id }) => id), entries.map(({ version }) => version)],
      );
      // Statements of their own: they must see what another carrier did before it let go of the versions.
      const newer = new Set(rows.map(({ id }) => id));
      const taken = entries.filter(({ id }) => newer.has(id));
      const gone = taken.filter(({ account }) => !account).map(({ id }) => id);
      await connection.query("DELETE FROM accounts WHERE id = ANY($1)", [gone]);
      const accounts = taken.flatMap(({ account }) => account ?? []);
      await this.#insert(connection, accounts, this.#replace());
    });
  }

  /** What somebody is just writing is left out: it will be carried again anyway. */
  async markCarried(entries: readonly Entry[]): Promise<void> {
    await this.database.query(
      `UPDATE account_versions v SET carried = greatest(v.carried, i.version)
       FROM (SELECT w.id, c.version FROM account_versions w
             JOIN unnest($1::text[], $2::bigint[]) AS c (id, version) ON c.id = w.id
             FOR UPDATE OF w SKIP LOCKED) i
       WHERE v.id = i.id`,
      [entries.map(({ id }) => id), entries.map(({ version }) => version)],
    );
  }

  /** The version comes first: whoever writes an id waits here for whoever else does. */
  #writing(id: string, work: (connection: Connection) => Promise<void>): Promise<void> {
    return this.database.write(async (connection) => {
      await connection.query(
        `INSERT INTO account_versions AS v (id, version, carried) VALUES ($1, 1, 0)
         ON CONFLICT (id) DO UPDATE SET version = v.version + 1`,
        [id],
      );
      await work(connection);
    });
  }

  #insert(connection: Connection, accounts: readonly Account[], onConflict: string) {
    const { targets, casts, stamp } = this.#dialect;
    const columns = ["id", ...targets, ...(stamp ? [stamp] : [])].join(", ");
    const lists = ["text", ...casts].map((cast, index) => `$${index + 1}::${cast}[]`).join(", ");
    const values = accounts.map((account) => this.#dialect.values(account));
    return connection.query(
      `INSERT INTO accounts (${columns}) SELECT *${stamp ? ", now()" : ""} FROM unnest(${lists})
       ON CONFLICT (id) ${onConflict}`,
      [accounts.map(({ id }) => id), ...[0, 1, 2].map((at) => values.map((each) => each[at]))],
    );
  }

  #replace(): string {
    const { targets, stamp } = this.#dialect;
    const set = [...targets, ...(stamp ? [stamp] : [])].map((name) => `${name} = excluded.${name}`);
    return `DO UPDATE SET ${set.join(", ")}`;
  }

  #toEntry({ id, version, carried, present, ...row }: EntryRow): Entry {
    return { id, version, carried, account: present ? this.#dialect.parse(id, row) : null };
  }
}
