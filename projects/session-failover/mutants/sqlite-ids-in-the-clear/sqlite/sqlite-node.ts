/**
 * The same contract on one SQLite file, for development on one machine. Several processes may share
 * the file.
 *
 * What can be lost: with write-ahead logging and `synchronous = NORMAL`, everything acknowledged
 * survives the death of the process (`kill -9`), but the last commits may be missing after the machine
 * itself lost power or its kernel crashed; the file is never corrupted. Set `FULL` for more, at the
 * price of an fsync per write. Time is the machine's clock.
 *
 * `node:sqlite` is synchronous: while another process holds the write lock, this one waits with its
 * event loop stopped, at most for the busy time-out. That is fine for development, not for production.
 */
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import type { Device, NodeConfig, Session, SessionData, SessionNode } from "../../contract.ts";
import { Calls } from "../calls.ts";
import { type ChosenIds, type ChosenSession, NOBODY } from "../chosen-ids.ts";
import { checkText, checkTtl, timingOf } from "../config.ts";
import { notFound, versionConflict } from "../errors.ts";
import { isId, newId } from "../ids.ts";

const hashOf = (id: string): Buffer => Buffer.from(id);

import { type NodeStatus, note, type Operable } from "../telemetry.ts";
import { openSqlite } from "./open.ts";

const NOW = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";
const SESSION = "user_id, data, version, expires_at";
const LIVE = `token_hash = ? AND expires_at > ${NOW}`;

/** SQL of one statement each, so each is a transaction of its own. */
const SQL = {
  addUser: `INSERT INTO users (id, created_at) VALUES (?, ${NOW}) ON CONFLICT DO NOTHING`,
  create: `INSERT INTO sessions (token_hash, user_id, device, data, created_at, expires_at)
           VALUES (?, ?, ?, ?, ${NOW}, ${NOW} + ?) RETURNING ${SESSION}`,
  read: `SELECT ${SESSION} FROM sessions WHERE ${LIVE}`,
  update: `UPDATE sessions SET data = ?, version = version + 1
           WHERE ${LIVE} AND version = ? RETURNING ${SESSION}`,
  touch: `UPDATE sessions SET expires_at = ${NOW} + ? WHERE ${LIVE} RETURNING ${SESSION}`,
  rotate: `UPDATE sessions SET token_hash = ? WHERE ${LIVE} RETURNING ${SESSION}`,
  destroy: "DELETE FROM sessions WHERE token_hash = ?",
  destroyAll: `DELETE FROM sessions WHERE user_id = ? RETURNING expires_at > ${NOW} AS live`,
  list: `SELECT device, created_at, expires_at FROM sessions
         WHERE user_id = ? AND expires_at > ${NOW} ORDER BY seq`,
  put: `INSERT INTO sessions (token_hash, user_id, device, data, created_at, expires_at, store)
        VALUES (?, ?, ?, ?, ${NOW}, ${NOW} + ?, ?)
        ON CONFLICT (token_hash) DO UPDATE
        SET user_id = excluded.user_id, device = excluded.device, data = excluded.data,
            expires_at = excluded.expires_at, version = version + 1
        WHERE sessions.expires_at > ${NOW} AND sessions.store = excluded.store
        RETURNING ${SESSION}`,
  end: `INSERT INTO sessions (token_hash, user_id, device, data, created_at, expires_at, store)
        VALUES (?, '${NOBODY}', '', '{}', ${NOW}, 0, ?)
        ON CONFLICT (token_hash) DO UPDATE
        SET user_id = excluded.user_id, device = '', data = '{}', expires_at = 0`,
  sessionsOf: `SELECT ${SESSION} FROM sessions WHERE store = ? AND expires_at > ${NOW}`,
  countOf: `SELECT count(*) AS count FROM sessions WHERE store = ? AND expires_at > ${NOW}`,
  clear: `UPDATE sessions SET user_id = '${NOBODY}', device = '', data = '{}', expires_at = 0
          WHERE store = ?`,
} as const;

type Row = Record<string, SQLOutputValue>;

export class SqliteNode implements SessionNode, ChosenIds, Operable {
  readonly #calls: Calls;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(config: NodeConfig, file: string) {
    const { callMs } = timingOf(config);
    this.#calls = new Calls(callMs);
    // No call waits for the lock more than twice.
    this.#database = openSqlite(file, Math.floor(callMs / 3));
  }

  create(input: Parameters<SessionNode["create"]>[0]): Promise<Session> {
    return this.#calls.run(async () => {
      const userId = checkText(input.userId, "userId");
      const device = checkText(input.device, "device");
      const ttl = checkTtl(input.ttlMs);
      const id = newId();
      // A user without a session, should the second statement fail, is not an error.
      this.#prepared("addUser").run(userId);
      const data = JSON.stringify(input.data);
      return sessionOf(id, this.#prepared("create").get(hashOf(id), userId, device, data, ttl));
    });
  }

  get(id: string): Promise<Session | null> {
    return this.#calls.run(async () => {
      const row = isId(id) ? this.#prepared("read").get(hashOf(id)) : undefined;
      return row ? sessionOf(id, row) : null;
    });
  }

  update(
    id: string,
    input: { readonly data: SessionData; readonly expectedVersion: number },
  ): Promise<Session> {
    return this.#calls.run(async () => {
      const hash = hashOf(id);
      const data = JSON.stringify(input.data);
      const row = this.#prepared("update").get(data, hash, input.expectedVersion);
      if (row) return sessionOf(id, row);
      throw this.#prepared("read").get(hash) ? versionConflict(input.expectedVersion) : notFound();
    });
  }

  touch(id: string, ttlMs: number): Promise<Session> {
    return this.#calls.run(async () => {
      return sessionOf(id, this.#prepared("touch").get(checkTtl(ttlMs), hashOf(id)));
    });
  }

  rotate(id: string): Promise<Session> {
    return this.#calls.run(async () => {
      const fresh = newId();
      return sessionOf(fresh, this.#prepared("rotate").get(hashOf(fresh), hashOf(id)));
    });
  }

  destroy(id: string): Promise<void> {
    return this.#calls.run(async () => {
      this.#prepared("destroy").run(hashOf(id));
    });
  }

  destroyAll(userId: string): Promise<number> {
    return this.#calls.run(async () => {
      const ended = this.#prepared("destroyAll").all(checkText(userId, "userId"));
      return ended.filter((row) => row.live === 1).length;
    });
  }

  list(userId: string): Promise<readonly Device[]> {
    return this.#calls.run(async () => {
      const rows = this.#prepared("list").all(checkText(userId, "userId"));
      return rows.map((row) => ({
        device: String(row.device),
        createdAt: Number(row.created_at),
        expiresAt: Number(row.expires_at),
      }));
    });
  }

  put(store: string, id: string, input: ChosenSession): Promise<Session | null> {
    return this.#calls.run(async () => {
      const userId = checkText(input.userId, "userId");
      const device = checkText(input.device, "device");
      const ttl = checkTtl(input.ttlMs);
      const data = JSON.stringify(input.data);
      this.#prepared("addUser").run(userId);
      const row = this.#prepared("put").get(hashOf(id), userId, device, data, ttl, store);
      return row ? sessionOf(id, row) : null;
    });
  }

  end(store: string, id: string): Promise<void> {
    return this.#calls.run(async () => {
      this.#prepared("end").run(hashOf(id), store);
    });
  }

  sessionsOf(store: string): Promise<readonly Omit<Session, "id">[]> {
    return this.#calls.run(async () => this.#prepared("sessionsOf").all(store).map(storedIn));
  }

  countOf(store: string): Promise<number> {
    return this.#calls.run(async () => Number(this.#prepared("countOf").get(store)?.count));
  }

  clear(store: string): Promise<void> {
    return this.#calls.run(async () => {
      this.#prepared("clear").run(store);
    });
  }

  status(): NodeStatus {
    return { redis: "none", epoch: 0, pool: { open: 1, idle: 1, waiting: 0 } };
  }

  check(): Promise<void> {
    return this.#calls.run(async () => {
      this.#prepared("countOf").get("");
    });
  }

  async close(): Promise<void> {
    await this.#calls.end();
    if (this.#database.isOpen) this.#database.close();
  }

  #prepared(name: keyof typeof SQL): StatementSync {
    note({ tier: "sqlite" });
    let statement = this.#statements.get(name);
    if (!statement) {
      statement = this.#database.prepare(SQL[name]);
      this.#statements.set(name, statement);
    }
    return statement;
  }
}

function sessionOf(id: string, row: Row | undefined): Session {
  if (!row) throw notFound();
  return { id, ...storedIn(row) };
}

function storedIn(row: Row): Omit<Session, "id"> {
  return {
    userId: String(row.user_id),
    data: JSON.parse(String(row.data)) as SessionData,
    version: Number(row.version),
    expiresAt: Number(row.expires_at),
  };
}
