/**
 * One app node. PostgreSQL is the record and decides everything; Redis holds copies for `get`.
 *
 * Every write puts, in its own transaction, a row into `stale_copies`: "the copy of this session in
 * Redis may be old". The row goes when a delete was confirmed by Redis, by whoever gets there first.
 * Every node reads these rows all the time. A copy is used only if the rows were last read less than
 * S ago, by a poll that began after Redis came (back) into use, and there is none for the session.
 */
import { randomUUID } from "node:crypto";
import type pg from "pg";
import type { Device, NodeConfig, Session, SessionData, SessionNode } from "../../contract.ts";
import { SessionError } from "./errors.ts";
import { checkTtl, checkVersion, digestOf, encodeData, newId } from "./input.ts";
import { RedisLink } from "./redis-link.ts";
import { now, openPostgres, query, within } from "./stores.ts";

const CLOCK = `(extract(epoch from clock_timestamp()) * 1000)::bigint`;

export async function migratePostgres(url: string): Promise<void> {
  const pool = openPostgres(url, 1, 20_000);
  try {
    await pool.query(`
      begin;
      select pg_advisory_xact_lock(7203115);
      create table if not exists users (
        id text primary key
      );
      create table if not exists sessions (
        seq bigint generated always as identity primary key,
        digest bytea not null unique,
        user_id text not null references users (id),
        device text not null,
        data text not null,
        version integer not null default 1,
        rev bigint not null default 1,
        created_at bigint not null,
        expires_at bigint not null
      );
      create index if not exists sessions_of_user on sessions (user_id, seq);
      create index if not exists sessions_by_end on sessions (expires_at);
      create table if not exists stale_copies (
        id bigint generated always as identity primary key,
        digest bytea not null
      );
      commit;`);
  } finally {
    await pool.end();
  }
}

/** What is kept of a session in Redis: all but its id. */
interface Copy {
  readonly userId: string;
  readonly data: SessionData;
  readonly version: number;
  readonly expiresAt: number;
  readonly rev: number;
}

/** The last successful look at `stale_copies`. */
interface Poll {
  readonly began: number;
  readonly ended: number;
  /** PostgreSQL's clock, some time between `began` and `ended`. */
  readonly clock: number;
  readonly stale: ReadonlySet<string> | "too many";
}

const MAX_STALE = 2_000;
const MAX_COPY_MS = 10 * 60_000;
const PURGE_EVERY_MS = 60_000;
const RETURNING = `user_id, data, version, rev, expires_at`;

const copyOf = (row: Record<string, unknown>): Copy => ({
  userId: row.user_id as string,
  data: JSON.parse(row.data as string) as SessionData,
  version: Number(row.version),
  expiresAt: Number(row.expires_at),
  rev: Number(row.rev),
});

const sessionOf = (id: string, copy: Copy): Session => ({
  id,
  userId: copy.userId,
  data: copy.data,
  version: copy.version,
  expiresAt: copy.expiresAt,
});

export class PolyglotNode implements SessionNode {
  readonly #config: NodeConfig;
  readonly #pool: pg.Pool;
  /** Of its own, so that load can't make this node lose sight of what is stale. */
  readonly #pollPool: pg.Pool;
  readonly #redis: RedisLink;
  readonly #underWay = new Set<Promise<unknown>>();
  /** What this node has seen or done since the last poll began: copies older than that are not for it. */
  readonly #seen = new Map<string, { rev: number; at: number }>();
  #poll: Poll | undefined;
  /** Rows of `stale_copies` whose copies are gone. */
  #settled: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #polling: Promise<void> | undefined;
  #lastPurge = now();
  #closed = false;

  private constructor(config: NodeConfig, postgres: string, redis: string) {
    this.#config = config;
    this.#pool = openPostgres(postgres, 6, config.requestBudgetMs);
    this.#pollPool = openPostgres(postgres, 1, config.requestBudgetMs);
    this.#redis = new RedisLink(redis, Math.min(100, config.requestBudgetMs / 4));
  }

  static async open(config: NodeConfig, postgres: string, redis: string): Promise<PolyglotNode> {
    const node = new PolyglotNode(config, postgres, redis);
    const warm = query(node.#pool, "select 1", [], now() + config.requestBudgetMs).catch(() => []);
    await Promise.all([within(node.#redis.started, 500, "Redis").catch(() => undefined), warm]);
    node.#schedulePoll(0);
    return node;
  }

  create(input: {
    readonly userId: string;
    readonly device: string;
    readonly data: SessionData;
    readonly ttlMs: number;
  }): Promise<Session> {
    return this.#call(async (deadline) => {
      const id = newId();
      const ttl = checkTtl(input.ttlMs);
      // No row for Redis: nobody can have a copy of an id that is new.
      const [row] = await query(
        this.#pool,
        `with u as (insert into users (id) values ($2) on conflict do nothing),
              t as (select ${CLOCK} as ms)
         insert into sessions (digest, user_id, device, data, created_at, expires_at)
         select decode($1, 'hex'), $2, $3, $4, t.ms, t.ms + $5::bigint from t
         returning ${RETURNING}`,
        [digestOf(id), input.userId, input.device, encodeData(input.data), ttl],
        deadline,
      );
      return sessionOf(id, copyOf(row as Record<string, unknown>));
    });
  }

  get(id: string): Promise<Session | null> {
    return this.#call(async (deadline) => {
      const digest = digestOf(id);
      const { copy, fill } = await this.#fromRedis(digest);
      if (copy) return sessionOf(id, copy);
      const [row] = await query(
        this.#pool,
        `select ${RETURNING}, expires_at - ${CLOCK} as left
         from sessions where digest = decode($1, 'hex') and expires_at > ${CLOCK}`,
        [digest],
        deadline,
        true,
      );
      const found = row ? copyOf(row) : undefined;
      this.#saw(digest, found ? found.rev : Infinity);
      if (!found) return null;
      const left = Number(row?.left);
      if (fill && left > 0) {
        this.#track(
          fill(JSON.stringify(found), Math.min(left, MAX_COPY_MS)).catch(() => undefined),
        );
      }
      return sessionOf(id, found);
    });
  }

  update(
    id: string,
    input: { readonly data: SessionData; readonly expectedVersion: number },
  ): Promise<Session> {
    return this.#call(async (deadline) => {
      const digest = digestOf(id);
      const row = await this.#change(
        digest,
        `update sessions set data = $2, version = version + 1, rev = rev + 1
         where digest = decode($1, 'hex') and version = $3::bigint and expires_at > ${CLOCK}`,
        [encodeData(input.data), checkVersion(input.expectedVersion)],
        deadline,
      );
      if (row) return sessionOf(id, copyOf(row));
      const alive = await query(
        this.#pool,
        `select 1 from sessions where digest = decode($1, 'hex') and expires_at > ${CLOCK}`,
        [digest],
        deadline,
        true,
      );
      if (alive.length === 0) throw new SessionError("NOT_FOUND", "no such session");
      throw new SessionError("VERSION_CONFLICT", `not at version ${input.expectedVersion}`);
    });
  }

  touch(id: string, ttlMs: number): Promise<Session> {
    return this.#call(async (deadline) => {
      const row = await this.#change(
        digestOf(id),
        `update sessions set expires_at = ${CLOCK} + $2::bigint, rev = rev + 1
         where digest = decode($1, 'hex') and expires_at > ${CLOCK}`,
        [checkTtl(ttlMs)],
        deadline,
      );
      if (!row) throw new SessionError("NOT_FOUND", "no such session");
      return sessionOf(id, copyOf(row));
    });
  }

  rotate(id: string): Promise<Session> {
    return this.#call(async (deadline) => {
      const next = newId();
      const row = await this.#change(
        digestOf(id),
        `update sessions set digest = decode($2, 'hex'), rev = rev + 1
         where digest = decode($1, 'hex') and expires_at > ${CLOCK}`,
        [digestOf(next)],
        deadline,
        true,
      );
      if (!row) throw new SessionError("NOT_FOUND", "no such session");
      return sessionOf(next, copyOf(row));
    });
  }

  destroy(id: string): Promise<void> {
    return this.#call(async (deadline) => {
      await this.#change(
        digestOf(id),
        `delete from sessions where digest = decode($1, 'hex')`,
        [],
        deadline,
        true,
      );
    });
  }

  destroyAll(userId: string): Promise<number> {
    return this.#call(async (deadline) => {
      const rows = await query(
        this.#pool,
        `with gone as (
           delete from sessions where user_id = $1
           returning digest, expires_at > ${CLOCK} as alive
         ), noted as (
           insert into stale_copies (digest) select digest from gone returning id, digest
         )
         select noted.id, encode(gone.digest, 'hex') as digest, gone.alive
         from gone join noted using (digest)`,
        [userId],
        deadline,
      );
      const digests = rows.map((row) => row.digest as string);
      for (const digest of digests) this.#saw(digest, Infinity);
      await this.#forget(
        digests,
        rows.map((row) => row.id as string),
        deadline,
      );
      return rows.filter((row) => row.alive === true).length;
    });
  }

  list(userId: string): Promise<readonly Device[]> {
    return this.#call(async (deadline) => {
      const rows = await query(
        this.#pool,
        `select device, created_at, expires_at from sessions
         where user_id = $1 and expires_at > ${CLOCK} order by seq`,
        [userId],
        deadline,
        true,
      );
      return rows.map((row) => ({
        device: row.device as string,
        createdAt: Number(row.created_at),
        expiresAt: Number(row.expires_at),
      }));
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    while (this.#underWay.size > 0) await Promise.allSettled([...this.#underWay]);
    await this.#polling;
    this.#redis.close();
    const ended = Promise.allSettled([this.#pool.end(), this.#pollPool.end()]);
    await within(ended, 1_000, "PostgreSQL end").catch(() => undefined);
  }

  // -- writes ---------------------------------------------------------------------------------

  /** A change of one session, and the note that its copy is old, in one statement. */
  async #change(
    digest: string,
    change: string,
    values: readonly unknown[],
    deadline: number,
    dead = false,
  ): Promise<Record<string, unknown> | undefined> {
    const [row] = await query(
      this.#pool,
      `with changed as (${change} returning ${RETURNING}), noted as (
         insert into stale_copies (digest) select decode($1, 'hex') from changed returning id
       )
       select changed.*, noted.id as note from changed, noted`,
      [digest, ...values],
      deadline,
    );
    if (!row) return undefined;
    this.#saw(digest, dead ? Infinity : Number(row.rev));
    await this.#forget([digest], [row.note as string], deadline);
    return row;
  }

  /** Confirmed or not, the write is durable and noted; if not, somebody's poll will see to it. */
  async #forget(digests: string[], notes: string[], deadline: number): Promise<void> {
    if (digests.length === 0) return;
    const ms = Math.min(100, deadline - now());
    if (await this.#redis.forget(digests, ms)) this.#settled.push(...notes);
  }

  // -- reads ----------------------------------------------------------------------------------

  async #fromRedis(digest: string): Promise<{
    copy?: Copy;
    fill?: (value: string, ttlMs: number) => Promise<void>;
  }> {
    const poll = this.#poll;
    if (!poll || !this.#mayUse(digest, poll)) return {};
    const floor = this.#seen.get(digest)?.rev ?? 0;
    let found: Awaited<ReturnType<RedisLink["read"]>>;
    try {
      found = await this.#redis.read(digest, randomUUID());
    } catch {
      return {};
    }
    if (found.value === undefined) return found.fill ? { fill: found.fill } : {};
    const copy = JSON.parse(found.value) as Copy;
    // Once more: time has passed, and a newer poll may know more.
    if (!this.#mayUse(digest, poll) || (this.#poll && this.#isStale(digest, this.#poll))) return {};
    if (copy.rev < Math.max(floor, this.#seen.get(digest)?.rev ?? 0)) return {};
    // The latest that PostgreSQL's clock may show. What may have ended is PostgreSQL's to say.
    if (copy.expiresAt <= poll.clock + (now() - poll.began) + 1) return {};
    return { copy };
  }

  #mayUse(digest: string, poll: Poll): boolean {
    const since = this.#redis.upSince;
    return (
      since !== undefined &&
      poll.began >= since &&
      now() - poll.began < this.#config.stalenessBoundMs * 0.7 &&
      !this.#isStale(digest, poll)
    );
  }

  #isStale(digest: string, poll: Poll): boolean {
    return poll.stale === "too many" || poll.stale.has(digest);
  }

  #saw(digest: string, rev: number): void {
    const before = this.#seen.get(digest)?.rev ?? 0;
    this.#seen.set(digest, { rev: Math.max(rev, before), at: now() });
  }

  // -- what is stale ----------------------------------------------------------------------------

  #schedulePoll(ms: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#polling = this.#look().finally(() =>
        this.#schedulePoll(this.#config.stalenessBoundMs / 6),
      );
    }, ms);
  }

  async #look(): Promise<void> {
    const settled = this.#settled;
    this.#settled = [];
    const began = now();
    const deadline = began + this.#config.stalenessBoundMs / 2;
    try {
      const rows = await query(
        this.#pollPool,
        `with gone as (delete from stale_copies where id = any ($1::bigint[]))
         select null as id, null as digest, ${CLOCK} as clock
         union all
         (select id, encode(digest, 'hex'), null from stale_copies
          where id <> all ($1::bigint[]) order by id limit ${MAX_STALE + 1})`,
        [settled],
        deadline,
      );
      const ended = now();
      const notes = rows.filter((row) => row.id !== null);
      const digests = notes.map((row) => row.digest as string);
      const clock = Number(rows.find((row) => row.id === null)?.clock);
      const stale = notes.length > MAX_STALE ? "too many" : new Set(digests);
      this.#poll = { began, ended, clock, stale };
      for (const [digest, { at }] of this.#seen) if (at < began) this.#seen.delete(digest);
      if (notes.length > 0 && (await this.#redis.forget(digests))) {
        this.#settled.push(...notes.map((row) => row.id as string));
      }
      if (ended - this.#lastPurge > PURGE_EVERY_MS) {
        this.#lastPurge = ended;
        const sql = `delete from sessions where expires_at < ${CLOCK} - 60000`;
        await query(this.#pollPool, sql, [], now() + this.#config.requestBudgetMs);
      }
    } catch {
      // Not knowing is safe: without a recent poll no copy is used. The notes stay to be deleted.
      this.#settled.push(...settled);
    }
  }

  // -- calls ------------------------------------------------------------------------------------

  #call<T>(work: (deadline: number) => Promise<T>): Promise<T> {
    if (this.#closed) {
      return Promise.reject(new SessionError("STORE_UNAVAILABLE", "this node is closed"));
    }
    return this.#track(work(now() + this.#config.requestBudgetMs * 0.85));
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    const done = (): void => void this.#underWay.delete(work);
    work.then(done, done);
    return work;
  }
}
