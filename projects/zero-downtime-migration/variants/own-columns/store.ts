import pg from "pg";
import type { Account, Phase, StoreName } from "../../contract.ts";

export interface Entry {
  readonly id: string;
  /** Of how many writes this is what came of it. */
  readonly rev: number;
  /** The rev that the other store has; -1 for none. */
  readonly there: number;
  readonly account: Account | null;
}

export interface Helm {
  readonly leads: boolean;
  readonly phase: Phase;
  readonly turn: number;
}

/** How one of the two writes an account down. */
interface Writing {
  readonly columns: string;
  /** `$1` to `$4`: arrays of ids, e-mails, amounts and dates; in the order of the columns. */
  readonly values: string;
  readonly read: string;
}

const writings: Readonly<Record<StoreName, Writing>> = {
  legacy: {
    columns: "email, cents, closed_on, updated_at",
    values: "email, cents, to_char(closed_on::date, 'DD.MM.YYYY'), now()",
    read: `lower(btrim(a.email)) AS email, btrim(a.cents)::bigint::text AS cents,
      to_char(to_date(nullif(btrim(a.closed_on), ''), 'DD.MM.YYYY'), 'YYYY-MM-DD') AS closed_on`,
  },
  modern: {
    columns: "email, balance_cents, closed_on",
    values: "email, cents::bigint, closed_on::date",
    read: "a.email, a.balance_cents::text AS cents, a.closed_on::text",
  },
};

interface EntryRow {
  id: string;
  rev: number;
  there: number;
  present: boolean;
  email: string;
  cents: string;
  closed_on: string | null;
}

const toEntry = ({ id, rev, there, present, email, cents, closed_on }: EntryRow): Entry => ({
  id,
  rev,
  there,
  account: present ? { id, email, balanceCents: Number(cents), closedOn: closed_on } : null,
});

export type Outcome = "done" | "there" | "absent" | "moved";

export class Store {
  readonly name: StoreName;
  readonly pool: pg.Pool;
  readonly #writing: Writing;
  readonly #select: string;

  constructor(name: StoreName, url: string, budgetMs: number) {
    const limit = Math.round(budgetMs * 0.6);
    this.name = name;
    this.#writing = writings[name];
    this.#select = `SELECT i.id, coalesce(a.rev, g.rev, -1)::int AS rev,
      coalesce(a.there, g.there, -1)::int AS there, a.id IS NOT NULL AS present, ${this.#writing.read}`;
    this.pool = new pg.Pool({
      connectionString: url,
      max: 10,
      connectionTimeoutMillis: limit,
      query_timeout: limit,
      statement_timeout: limit,
      idle_in_transaction_session_timeout: budgetMs,
    });
    this.pool.on("error", () => {});
  }

  async transaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    const ignore = () => {};
    client.on("error", ignore);
    let failure: unknown;
    try {
      await client.query("BEGIN");
      const result = await work(client);
      await client.query("COMMIT");
      return result;
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      client.off("error", ignore);
      client.release(failure !== undefined);
    }
  }

  async helm(): Promise<Helm> {
    const { rows } = await this.pool.query<Helm>("SELECT leads, phase, turn::int FROM helm");
    return rows[0] as Helm;
  }

  async read(ids: readonly string[]): Promise<Helm & { entries: Entry[] }> {
    const { rows } = await this.pool.query<EntryRow & Helm>(
      `WITH h AS (SELECT leads, phase, turn::int FROM helm)
       SELECT h.*, e.* FROM h CROSS JOIN (
         ${this.#select}, i.place FROM unnest($1::text[]) WITH ORDINALITY i (id, place)
         LEFT JOIN accounts a ON a.id = i.id LEFT JOIN graves g ON g.id = i.id) e
       ORDER BY e.place`,
      [ids],
    );
    return { ...(rows[0] as Helm), entries: rows.map(toEntry) };
  }

  async entries(condition: string, limit?: number): Promise<Entry[]> {
    const { rows } = await this.pool.query<EntryRow>(
      `SELECT * FROM (${this.#select}
         FROM (SELECT id FROM accounts UNION SELECT id FROM graves) i
         LEFT JOIN accounts a ON a.id = i.id LEFT JOIN graves g ON g.id = i.id) e
       WHERE ${condition} ORDER BY id LIMIT $1`,
      [limit ?? null],
    );
    return rows.map(toEntry);
  }

  async count(condition: string): Promise<number> {
    const { rows } = await this.pool.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM (SELECT rev, there FROM accounts
       UNION ALL SELECT rev, there FROM graves) e WHERE ${condition}`,
    );
    return rows[0]?.n ?? 0;
  }

  /** A client's write, while this store leads. `change` makes what will be of what is. */
  write(
    id: string,
    change: (before: Account | null) => Account | null | "there" | "absent",
  ): Promise<Outcome> {
    return this.transaction(async (client) => {
      const { rows } = await client.query<Helm>("SELECT leads FROM helm FOR SHARE");
      if (!rows[0]?.leads) return "moved";
      await lock(client, [id]);
      const { rows: found } = await client.query<EntryRow>(
        `${this.#select} FROM (SELECT $1::text AS id) i
         LEFT JOIN accounts a ON a.id = i.id LEFT JOIN graves g ON g.id = i.id`,
        [id],
      );
      const before = toEntry(found[0] as EntryRow);
      const account = change(before.account);
      if (account === "there" || account === "absent") return account;
      const rev = Math.max(before.rev, 0) + 1;
      await this.#put(client, [{ id, rev, there: before.there, account }]);
      return "done";
    });
  }

  /** What is newer than what is here. */
  takeOver(entries: readonly Entry[]): Promise<void> {
    return this.transaction(async (client) => {
      const ids = entries.map(({ id }) => id);
      await lock(client, ids);
      const { rows } = await client.query<{ id: string; rev: number }>(
        `SELECT i.id, coalesce(greatest(a.rev, g.rev), -1)::int AS rev FROM unnest($1::text[]) i (id)
         LEFT JOIN accounts a ON a.id = i.id LEFT JOIN graves g ON g.id = i.id`,
        [ids],
      );
      const here = new Map(rows.map(({ id, rev }) => [id, rev]));
      const newer = entries.filter(({ id, rev }) => rev > (here.get(id) ?? -1));
      await this.#put(
        client,
        newer.map((entry) => ({ ...entry, there: entry.rev })),
      );
    });
  }

  async markThere(entries: readonly Entry[]): Promise<void> {
    const values = [entries.map(({ id }) => id), entries.map(({ rev }) => rev)];
    for (const table of ["accounts", "graves"]) {
      await this.pool.query(
        `UPDATE ${table} t SET there = greatest(there, c.rev)
         FROM (SELECT w.id, i.rev FROM ${table} w
               JOIN unnest($1::text[], $2::bigint[]) i (id, rev) USING (id)
               FOR UPDATE OF w SKIP LOCKED) c
         WHERE t.id = c.id`,
        values,
      );
    }
  }

  /** Has these carried again, as newer than what the other store has. */
  async again(wrong: readonly { id: string; rev: number }[]): Promise<void> {
    await this.transaction(async (client) => {
      // Or a write that has read the rev before this counts up to the same.
      await lock(
        client,
        wrong.map(({ id }) => id),
      );
      const values = [wrong.map(({ id }) => id), wrong.map(({ rev }) => rev)];
      const next = "greatest(t.rev, i.rev) + 1";
      await client.query(
        `UPDATE accounts t SET rev = ${next} FROM unnest($1::text[], $2::bigint[]) i (id, rev)
         WHERE t.id = i.id`,
        values,
      );
      await client.query(
        `INSERT INTO graves AS t SELECT i.id, i.rev + 1, -1
         FROM unnest($1::text[], $2::bigint[]) i (id, rev) LEFT JOIN accounts a USING (id)
         WHERE a.id IS NULL ON CONFLICT (id) DO UPDATE SET rev = greatest(t.rev + 1, excluded.rev)`,
        values,
      );
    });
  }

  async #put(client: pg.PoolClient, entries: readonly Entry[]): Promise<void> {
    const [alive, dead] = [
      entries.flatMap(({ account, ...rest }) => (account ? { ...rest, ...account } : [])),
      entries.filter(({ account }) => !account),
    ];
    const ids = (list: readonly { id: string }[]) => list.map(({ id }) => id);
    await client.query("DELETE FROM graves WHERE id = ANY($1)", [ids(alive)]);
    await client.query("DELETE FROM accounts WHERE id = ANY($1)", [ids(dead)]);
    await client.query(
      `INSERT INTO graves AS t SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[])
       ON CONFLICT (id) DO UPDATE SET rev = excluded.rev, there = excluded.there`,
      [ids(dead), dead.map(({ rev }) => rev), dead.map(({ there }) => there)],
    );
    const { columns, values } = this.#writing;
    const set = `${columns}, rev, there`.split(", ").map((name) => `${name} = excluded.${name}`);
    await client.query(
      `INSERT INTO accounts (id, ${columns}, rev, there) SELECT id, ${values}, rev, there
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
         i (id, email, cents, closed_on, rev, there)
       ON CONFLICT (id) DO UPDATE SET ${set.join(", ")}`,
      [
        ids(alive),
        alive.map(({ email }) => email),
        alive.map(({ balanceCents }) => String(balanceCents)),
        alive.map(({ closedOn }) => closedOn),
        alive.map(({ rev }) => rev),
        alive.map(({ there }) => there),
      ],
    );
  }
}

/** Until the end of the transaction nobody else counts up what these accounts are at; in one order for all. */
async function lock(client: pg.PoolClient, ids: readonly string[]): Promise<void> {
  await client.query(
    "SELECT pg_advisory_xact_lock(key) FROM (SELECT DISTINCT hashtext(id) AS key FROM unnest($1::text[]) id ORDER BY 1) k",
    [ids],
  );
}
