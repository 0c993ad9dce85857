/** The system of record: what PostgreSQL has committed is what happened. */
import type { Device, SessionData } from "../../contract.ts";
import { NOBODY } from "../chosen-ids.ts";
import type { Deadline } from "../deadline.ts";
import type { EpochView } from "../epoch.ts";
import { unavailable } from "../errors.ts";
import { ServerClock } from "./clock.ts";
import type { Database, Statement } from "./database.ts";
import * as sql from "./statements.ts";

/** A session as the stores know it, that is without its secret. */
export interface StoredSession {
  readonly userId: string;
  readonly data: SessionData;
  readonly version: number;
  /** Milliseconds since the epoch, by PostgreSQL's clock. */
  readonly expiresAt: number;
}

/** A session together with the cache epoch that was current in the same snapshot. */
export interface Snapshot {
  readonly session: StoredSession | undefined;
  readonly epoch: number;
}

/** `fenced`: the cache is known to serve nothing old. If not, the write grows the epoch. */
export interface WriteOptions {
  readonly deadline: Deadline;
  readonly fenced: boolean;
}

interface Meta {
  readonly epoch: number;
  readonly clock_ms: number;
}
interface SessionRow extends Meta {
  readonly user_id: string | null;
  readonly data: SessionData;
  readonly version: number;
  readonly expires_ms: number;
  readonly late?: boolean;
}
interface DeviceRow {
  readonly device: string;
  readonly created_ms: number;
  readonly expires_ms: number;
}
interface DestroyedRow extends Meta {
  readonly token_hash: Buffer | null;
  readonly live: boolean;
  readonly late: boolean;
}

export class PostgresSessions {
  readonly clock = new ServerClock();
  readonly #database: Database;
  readonly #epoch: () => EpochView;

  /** `epoch` is told of every epoch that an answer shows. */
  constructor(database: Database, epoch: () => EpochView) {
    this.#database = database;
    this.#epoch = epoch;
  }

  async read(hash: Buffer, deadline: Deadline): Promise<Snapshot> {
    const [row] = await this.#run<SessionRow>(sql.read, [hash], deadline);
    return snapshotOf(row);
  }

  async refreshEpoch(deadline: Deadline): Promise<void> {
    await this.#run<Meta>(sql.readEpoch, [], deadline);
  }

  /** Makes everything in Redis untrusted: at once on this node, within S on the others. */
  async growEpoch(deadline: Deadline): Promise<void> {
    await this.#run<Meta>(sql.growEpoch, [], deadline);
  }

  create(
    hash: Buffer,
    input: { userId: string; device: string; data: string; ttlMs: number },
    deadline: Deadline,
  ): Promise<Snapshot> {
    const { userId, device, data, ttlMs } = input;
    // Nobody has asked for the new id yet, so nothing old can be cached for it.
    const options = { deadline, fenced: true };
    return this.#write(sql.create, hash, [userId, device, data, ttlMs], options);
  }

  update(
    hash: Buffer,
    input: { data: string; expectedVersion: number },
    options: WriteOptions,
  ): Promise<Snapshot> {
    return this.#write(sql.update, hash, [input.data, input.expectedVersion], options);
  }

  touch(hash: Buffer, ttlMs: number, options: WriteOptions): Promise<Snapshot> {
    return this.#write(sql.touch, hash, [ttlMs], options);
  }

  rotate(hash: Buffer, newHash: Buffer, options: WriteOptions): Promise<Snapshot> {
    return this.#write(sql.rotate, hash, [newHash], options);
  }

  destroy(hash: Buffer, options: WriteOptions): Promise<Snapshot> {
    return this.#write(sql.destroy, hash, [], options);
  }

  /** Creates or replaces; no session in the answer means that the id has ended. */
  put(
    hash: Buffer,
    input: { store: string; userId: string; device: string; data: string; ttlMs: number },
    options: WriteOptions,
  ): Promise<Snapshot> {
    const { store, userId, device, data, ttlMs } = input;
    return this.#write(sql.put, hash, [userId, device, data, ttlMs, store], options);
  }

  end(hash: Buffer, store: string, options: WriteOptions): Promise<Snapshot> {
    return this.#write(sql.end, hash, [store, NOBODY], options);
  }

  /** Ends all sessions of a store, and makes what Redis has of them untrusted. */
  async clear(store: string, deadline: Deadline): Promise<void> {
    const values = [store, await this.#actUntil(deadline), true, NOBODY];
    const [row] = await this.#run<DestroyedRow>(sql.clear, values, deadline);
    if (row?.token_hash === null && row.late) throw tooLate();
  }

  /** A user's live sessions, the oldest first. */
  async devices(userId: string, deadline: Deadline): Promise<Device[]> {
    const rows = await this.#database.run<DeviceRow>(sql.devicesOfUser, [userId], deadline);
    return rows.map(({ device, created_ms, expires_ms }) => ({
      device,
      createdAt: Math.round(created_ms),
      expiresAt: Math.round(expires_ms),
    }));
  }

  async hashesOf(userId: string, deadline: Deadline): Promise<Buffer[]> {
    const rows = await this.#database.run<{ token_hash: Buffer }>(
      sql.hashesOfUser,
      [userId],
      deadline,
    );
    return rows.map((row) => row.token_hash);
  }

  /** @returns the sessions that it ended, and how many of them had not yet expired */
  async destroyAll(
    userId: string,
    options: WriteOptions,
  ): Promise<{ hashes: Buffer[]; live: number }> {
    const { fenced, deadline } = options;
    const until = await this.#actUntil(deadline);
    const values = [userId, until, !fenced];
    const rows = await this.#run<DestroyedRow>(sql.destroyAll, values, deadline);
    const ended = rows.filter((row) => row.token_hash !== null);
    if (ended.length === 0 && rows[0]?.late) throw tooLate();
    return {
      hashes: ended.flatMap((row) => row.token_hash ?? []),
      live: ended.filter((row) => row.live).length,
    };
  }

  async purge(deadline: Deadline): Promise<void> {
    await this.#database.run(sql.purge, [], deadline);
  }

  async #write(
    statement: Statement,
    hash: Buffer,
    values: readonly unknown[],
    { deadline, fenced }: WriteOptions,
  ): Promise<Snapshot> {
    const until = await this.#actUntil(deadline);
    const all = [hash, until, !fenced, ...values];
    const [row] = await this.#run<SessionRow>(statement, all, deadline);
    const snapshot = snapshotOf(row);
    if (!snapshot.session && row?.late) throw tooLate();
    return snapshot;
  }

  /** The call's deadline in the server's time, never too late, in seconds since the epoch. */
  async #actUntil(deadline: Deadline): Promise<number> {
    if (!this.clock.known) await this.refreshEpoch(deadline);
    return this.clock.earliest(deadline.at) / 1_000;
  }

  async #run<Row extends Meta>(
    statement: Statement,
    values: readonly unknown[],
    deadline: Deadline,
  ): Promise<Row[]> {
    const sentAt = performance.now();
    const rows = await this.#database.run<Row>(statement, values, deadline);
    const [first] = rows;
    if (first) {
      this.clock.observe(sentAt, performance.now(), first.clock_ms);
      this.#epoch().observe(first.epoch, sentAt);
    }
    return rows;
  }
}

function tooLate(): Error {
  return unavailable("The write reached PostgreSQL after its deadline and was not done.");
}

function snapshotOf(row: SessionRow | undefined): Snapshot {
  if (!row) throw unavailable("The cache epoch is missing: has the database been migrated?");
  return { session: storedIn(row), epoch: row.epoch };
}

function storedIn({ user_id, data, version, expires_ms }: SessionRow): StoredSession | undefined {
  if (user_id === null) return undefined;
  return { userId: user_id, data, version, expiresAt: Math.round(expires_ms) };
}
