import pg from "pg";
import type { Account, Phase, StoreName } from "../../contract.ts";

export interface Entry {
  readonly id: string;
  /** How many writes made it what it is, and how many of them the other store has. */
  readonly made: number;
  readonly sent: number;
  readonly account: Account | null;
}

export interface Turn {
  readonly leads: boolean;
  readonly phase: Phase;
  readonly number: number;
}

/** One of the two databases, through its functions. */
export class Store {
  readonly name: StoreName;
  readonly pool: pg.Pool;
  /** The number of its turn when it was last asked for it. */
  #number = 0;

  constructor(name: StoreName, url: string, budgetMs: number) {
    this.name = name;
    const limit = Math.round(budgetMs * 0.6);
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

  async #one<T>(text: string, ...values: unknown[]): Promise<T> {
    const { rows } = await this.pool.query(text, values);
    return rows[0] as T;
  }

  async turn(): Promise<Turn> {
    const turn = await this.#one<Turn>("SELECT leads, phase, number::int FROM turn");
    this.#number = turn.number;
    return turn;
  }

  /** Undefined where it is, or was by the time this arrived, the other one's turn. */
  async write(kind: string, input: object): Promise<string | undefined> {
    const text = "SELECT client_writes($1, $2, $3) AS answer";
    for (;;) {
      const meant = this.#number;
      const said = await this.#one<{ answer: string }>(text, kind, JSON.stringify(input), meant);
      if (said.answer !== "moved") return said.answer;
      const { leads, number } = await this.turn();
      if (!leads || number === meant) return undefined;
    }
  }

  read(ids: readonly string[]): Promise<Turn & { entries: Entry[] }> {
    return this.#one("SELECT leads, phase, number::int, entries($1) FROM turn", ids);
  }

  async unsent(limit: number): Promise<Entry[]> {
    const text = `SELECT entries(ARRAY(SELECT id FROM noted WHERE sent < made ORDER BY id LIMIT $1))`;
    return (await this.#one<{ entries: Entry[] }>(text, limit)).entries;
  }

  async countUnsent(): Promise<number> {
    const text = "SELECT count(*)::int AS n FROM noted WHERE sent < made";
    return (await this.#one<{ n: number }>(text)).n;
  }

  async takeOver(entries: readonly Entry[]): Promise<void> {
    await this.pool.query("SELECT take_over($1)", [JSON.stringify(entries)]);
  }

  async markSent(entries: readonly Entry[]): Promise<void> {
    await this.pool.query("SELECT mark_sent($1)", [JSON.stringify(entries)]);
  }

  /** Rows from before the triggers. @returns how many were noted */
  async noteOld(limit: number): Promise<number> {
    const { rowCount } = await this.pool.query(
      `INSERT INTO noted SELECT id, 1, 0 FROM accounts a
       WHERE NOT EXISTS (SELECT FROM noted n WHERE n.id = a.id) ORDER BY id LIMIT $1
       ON CONFLICT DO NOTHING`,
      [limit],
    );
    return rowCount ?? 0;
  }

  async hasOld(): Promise<boolean> {
    const text = `SELECT EXISTS (SELECT FROM accounts a
      WHERE NOT EXISTS (SELECT FROM noted n WHERE n.id = a.id)) AS has`;
    return (await this.#one<{ has: boolean }>(text)).has;
  }

  async all(): Promise<Map<string, Entry>> {
    const text = "SELECT entries(ARRAY(SELECT id FROM accounts UNION SELECT id FROM noted))";
    const { entries } = await this.#one<{ entries: Entry[] }>(text);
    return new Map(entries.map((entry) => [entry.id, entry]));
  }

  /** Has these ids carried over once more, as something newer than what is there. */
  async noteAgain(entries: readonly Pick<Entry, "id" | "made">[]): Promise<void> {
    await this.pool.query(
      `INSERT INTO noted AS n SELECT id, made + 1, 0
       FROM jsonb_to_recordset($1) AS e (id text, made bigint)
       ON CONFLICT (id) DO UPDATE SET made = greatest(n.made + 1, excluded.made)`,
      [JSON.stringify(entries)],
    );
  }
}
