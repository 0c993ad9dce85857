/** The same contract on one SQLite file, which several processes may share. One tier, one clock. */
import { DatabaseSync } from "node:sqlite";
import type { Device, NodeConfig, Session, SessionData, SessionNode } from "../../contract.ts";
import { SessionError } from "./errors.ts";
import { checkTtl, checkVersion, digestOf, encodeData, newId } from "./input.ts";

const CLOCK = `cast(unixepoch('subsec') * 1000 as integer)`;
const RETURNING = `user_id, data, version, expires_at`;

type Row = Record<string, unknown>;

export function migrateSqlite(path: string): void {
  const db = new DatabaseSync(path, { timeout: 10_000 });
  try {
    db.exec(`
      pragma journal_mode = wal;
      begin immediate;
      create table if not exists users (id text primary key) strict;
      create table if not exists sessions (
        seq integer primary key autoincrement,
        digest text not null unique,
        user_id text not null references users (id),
        device text not null,
        data text not null,
        version integer not null default 1,
        created_at integer not null,
        expires_at integer not null
      ) strict;
      create index if not exists sessions_of_user on sessions (user_id, seq);
      commit;`);
  } finally {
    db.close();
  }
}

const sessionOf = (id: string, row: Row): Session => ({
  id,
  userId: row.user_id as string,
  data: JSON.parse(row.data as string) as SessionData,
  version: row.version as number,
  expiresAt: row.expires_at as number,
});

export class LocalNode implements SessionNode {
  readonly #db: DatabaseSync;

  constructor(config: NodeConfig, path: string) {
    // SQLite waits for a lock by blocking this process, so at most once per call (see #write).
    this.#db = new DatabaseSync(path, { timeout: Math.floor(config.requestBudgetMs * 0.7) });
    this.#db.exec("pragma synchronous = full");
  }

  async create(input: {
    readonly userId: string;
    readonly device: string;
    readonly data: SessionData;
    readonly ttlMs: number;
  }): Promise<Session> {
    const id = newId();
    const ttl = checkTtl(input.ttlMs);
    const data = encodeData(input.data);
    return this.#write(() => {
      this.#all(`insert into users (id) values (?) on conflict do nothing`, input.userId);
      const [row] = this.#all(
        `insert into sessions (digest, user_id, device, data, created_at, expires_at)
         values (?, ?, ?, ?, ${CLOCK}, ${CLOCK} + ?) returning ${RETURNING}`,
        digestOf(id),
        input.userId,
        input.device,
        data,
        ttl,
      );
      return sessionOf(id, row as Row);
    });
  }

  async get(id: string): Promise<Session | null> {
    const [row] = this.#safely(() =>
      this.#all(
        `select ${RETURNING} from sessions where digest = ? and expires_at > ${CLOCK}`,
        digestOf(id),
      ),
    );
    return row ? sessionOf(id, row) : null;
  }

  async update(
    id: string,
    input: { readonly data: SessionData; readonly expectedVersion: number },
  ): Promise<Session> {
    const data = encodeData(input.data);
    const expected = checkVersion(input.expectedVersion);
    return this.#write(() => {
      const digest = digestOf(id);
      const [row] = this.#all(
        `update sessions set data = ?, version = version + 1
         where digest = ? and version = ? and expires_at > ${CLOCK} returning ${RETURNING}`,
        data,
        digest,
        expected,
      );
      if (row) return sessionOf(id, row);
      const alive = this.#all(
        `select 1 from sessions where digest = ? and expires_at > ${CLOCK}`,
        digest,
      );
      if (alive.length === 0) throw new SessionError("NOT_FOUND", "no such session");
      throw new SessionError("VERSION_CONFLICT", `not at version ${expected}`);
    });
  }

  async touch(id: string, ttlMs: number): Promise<Session> {
    const ttl = checkTtl(ttlMs);
    return this.#write(() => {
      const [row] = this.#all(
        `update sessions set expires_at = ${CLOCK} + ?
         where digest = ? and expires_at > ${CLOCK} returning ${RETURNING}`,
        ttl,
        digestOf(id),
      );
      if (!row) throw new SessionError("NOT_FOUND", "no such session");
      return sessionOf(id, row);
    });
  }

  async rotate(id: string): Promise<Session> {
    const next = newId();
    return this.#write(() => {
      const [row] = this.#all(
        `update sessions set digest = ?
         where digest = ? and expires_at > ${CLOCK} returning ${RETURNING}`,
        digestOf(next),
        digestOf(id),
      );
      if (!row) throw new SessionError("NOT_FOUND", "no such session");
      return sessionOf(next, row);
    });
  }

  async destroy(id: string): Promise<void> {
    this.#write(() => this.#all(`delete from sessions where digest = ?`, digestOf(id)));
  }

  async destroyAll(userId: string): Promise<number> {
    const rows = this.#write(() =>
      this.#all(
        `delete from sessions where user_id = ? returning expires_at > ${CLOCK} as alive`,
        userId,
      ),
    );
    return rows.filter((row) => row.alive === 1).length;
  }

  async list(userId: string): Promise<readonly Device[]> {
    const rows = this.#safely(() =>
      this.#all(
        `select device, created_at, expires_at from sessions
         where user_id = ? and expires_at > ${CLOCK} order by seq`,
        userId,
      ),
    );
    return rows.map((row) => ({
      device: row.device as string,
      createdAt: row.created_at as number,
      expiresAt: row.expires_at as number,
    }));
  }

  async close(): Promise<void> {
    if (this.#db.isOpen) this.#db.close();
  }

  #all(sql: string, ...values: (string | number)[]): Row[] {
    return this.#db.prepare(sql).all(...values) as Row[];
  }

  /** The write lock is taken at the start, where waiting for it is still possible. */
  #write<T>(work: () => T): T {
    return this.#safely(() => {
      this.#db.exec("begin immediate");
      try {
        const result = work();
        this.#db.exec("commit");
        return result;
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec("rollback");
        throw error;
      }
    });
  }

  #safely<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof SessionError) throw error;
      throw new SessionError("STORE_UNAVAILABLE", `SQLite: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}
