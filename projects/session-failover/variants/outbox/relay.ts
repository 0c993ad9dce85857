/** Carries the outbox to Redis, in rounds that take turns with those of other nodes. */
import pg from "pg";
import type { NodeConfig } from "../../contract.ts";
import type { Timing } from "../../src/config.ts";
import type { Log } from "../../src/log.ts";
import type { RedisLink } from "../../src/redis/link.ts";
import type { SessionRow } from "../postgres-only/node.ts";
import { META } from "../postgres-only/statements.ts";
import { ADVANCE } from "./scripts.ts";
import type { Watermark } from "./watermark.ts";

/** Sessions that one round sends whole. Further ones it deletes, which is always right. */
const MAX_SENT = 100;
/** From so many changes on, a new generation is cheaper than to tell Redis about them all. */
const MAX_BACKLOG = 1_000;

/** The beat comes in a statement of its own, before the snapshot of {@link TAKE}, and after the lock. */
const BEGIN = `
  BEGIN;
  SELECT name, position::text FROM relay FOR UPDATE;
  SELECT nextval('beats')::float8 AS n,
         (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS clock_ms`;

/**
 * `$1`: sessions that readers missed. One snapshot for what is taken and what is read. Never SKIP
 * LOCKED: the position promises that nothing was left out.
 */
const TAKE = `
  WITH taken AS (DELETE FROM outbox RETURNING token_hash),
       due AS (SELECT token_hash FROM taken UNION SELECT unnest($1::bytea[]))
  SELECT due.token_hash, ${META}, data,
         (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::float8 AS ms_left
  FROM due LEFT JOIN sessions ON sessions.token_hash = due.token_hash`;

/** Redis is nowhere near this position, so it will begin a new generation when it is back. */
const FORGET = `
  WITH moved AS (
    UPDATE relay SET position = nextval('beats')
    WHERE (SELECT count(*) FROM outbox) > ${MAX_BACKLOG} RETURNING 1)
  DELETE FROM outbox WHERE EXISTS (SELECT FROM moved)`;

interface TakenRow extends SessionRow {
  readonly token_hash: Buffer;
  /** Null when there is no such session any more. */
  readonly ms_left: number | null;
}
type BeginResults = [
  unknown,
  pg.QueryResult<{ name: string; position: string }>,
  pg.QueryResult<{ n: number; clock_ms: number }>,
];

export class Relay {
  readonly #pool: pg.Pool;
  readonly #link: RedisLink;
  readonly #watermark: Watermark;
  readonly #timing: Timing;
  readonly #log: Log;
  readonly #ticks: NodeJS.Timeout;
  readonly #missed = new Map<string, Buffer>();
  #head: string | undefined;
  #running: Promise<boolean> = Promise.resolve(false);
  #next: Promise<boolean> | undefined;

  constructor(
    config: NodeConfig,
    postgres: string,
    parts: { link: RedisLink; watermark: Watermark; timing: Timing; log: Log },
  ) {
    this.#link = parts.link;
    this.#watermark = parts.watermark;
    this.#timing = parts.timing;
    this.#log = parts.log;
    const { stalenessBoundMs: staleness } = config;
    this.#pool = new pg.Pool({
      connectionString: postgres,
      max: 1,
      idleTimeoutMillis: 0,
      connectionTimeoutMillis: staleness,
      query_timeout: staleness,
      statement_timeout: staleness,
      lock_timeout: staleness / 2,
      // A relay that freezes in its turn must not keep the others waiting.
      idle_in_transaction_session_timeout: staleness / 2,
      application_name: "session-failover-relay",
      onConnect: async (client) => {
        // The pool listens to idle connections only; one that ends within a round would end the process.
        client.on("error", (error) => this.#log("relay.connection_lost", { error }));
        client.on("notification", () => void this.flush());
        await client.query("LISTEN outbox");
      },
    });
    this.#pool.on("error", () => {}); // connections listen for themselves
    this.#ticks = setInterval(() => this.#tick(), staleness / 5).unref();
  }

  /** The key of Redis' head; undefined until the first round. */
  get head(): string | undefined {
    return this.#head;
  }

  /** A reader found this session in PostgreSQL, and not in Redis. */
  missed(hash: Buffer): void {
    if (this.#missed.size < MAX_SENT) this.#missed.set(hash.toString("base64url"), hash);
    void this.flush();
  }

  /**
   * One round, or the rest of one and another: what was committed before the call is in it. Never
   * rejects. @returns whether Redis has confirmed it
   */
  flush(): Promise<boolean> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      this.#running = this.#round().catch((error: unknown) => {
        this.#log("relay.failed", { error });
        return false;
      });
      return this.#running;
    });
    return this.#next;
  }

  async close(): Promise<void> {
    clearInterval(this.#ticks);
    await (this.#next ?? this.#running);
    await this.#pool.end();
  }

  #tick(): void {
    if (this.#link.connection) void this.flush();
    else this.#pool.query(FORGET).catch((error) => this.#log("relay.failed", { error }));
  }

  async #round(): Promise<boolean> {
    const { connection } = this.#link;
    if (!connection) return false;
    const client = await this.#pool.connect();
    try {
      const sentAt = performance.now();
      const [, { rows: relays }, { rows: beats }] = (await client.query(
        BEGIN,
      )) as unknown as BeginResults;
      const [relay, beat] = [relays[0], beats[0]];
      if (!relay || !beat) throw new Error("The relay's row is missing.");
      this.#watermark.observe({ n: beat.n, sentAt, clockMs: beat.clock_ms });
      this.#head = `outbox:${relay.name}`;
      const missed = [...this.#missed.values()];
      this.#missed.clear();
      const { rows } = await client.query<TakenRow>(TAKE, [missed]);
      const args = [relay.position, beat.n, ...rows.flatMap((row, i) => this.#entry(row, i))];
      const moved = await this.#link.run(connection, ADVANCE, this.#head, args);
      if (moved !== 1) throw new Error(`Redis is beyond position ${beat.n}.`);
      await client.query(`UPDATE relay SET position = ${beat.n}; COMMIT`);
      client.release();
      return true;
    } catch (error) {
      // Closing the connection rolls back: what Redis may not have heard of stays in the outbox.
      client.release(true);
      throw error;
    }
  }

  #entry(row: TakenRow, i: number): [hash: string, session: string, ms: number] {
    const hash = row.token_hash.toString("base64url");
    const ms = Math.floor(Math.min(row.ms_left ?? 0, this.#timing.cacheMs));
    if (ms <= 0 || i >= MAX_SENT) return [hash, "", 0];
    const { user_id: userId, data, version } = row;
    const session = { userId, data, version, expiresAt: Math.round(row.expires_ms) };
    return [hash, JSON.stringify(session), ms];
  }
}
