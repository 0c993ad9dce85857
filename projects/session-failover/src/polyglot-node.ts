/**
 * A node on PostgreSQL and Redis. PostgreSQL is the system of record; Redis is a cache in front of
 * it that is never believed without proof.
 *
 * A write to an existing session:
 * 1. *fence*: Redis drops the session and promises to serve and accept nothing for it;
 * 2. *commit* in PostgreSQL. When the fence was not confirmed, the same transaction grows the cache
 *    epoch, which makes everything in Redis untrusted;
 * 3. *release* the fence, which tells whether it stood all the time. If that is not certain (Redis
 *    restarted, evicted it, or fell silent), grow the epoch now.
 * Only then is it acknowledged. A writer that dies in between leaves its fence behind, which outlives
 * the last moment at which PostgreSQL would still carry out the write.
 *
 * A read serves what Redis has if its tag is not below the known epoch (see epoch.ts), and otherwise
 * asks PostgreSQL. When neither can be done, it fails: there is no stale answer and no "not found"
 * that the system of record did not give.
 */
import type { Device, NodeConfig, Session, SessionData, SessionNode } from "../contract.ts";
import { Calls } from "./calls.ts";
import type { ChosenIds, ChosenSession } from "./chosen-ids.ts";
import { checkText, checkTtl, type Timing, timingOf } from "./config.ts";
import { Deadline } from "./deadline.ts";
import { EpochView } from "./epoch.ts";
import { notFound, versionConflict } from "./errors.ts";
import { hashOf, hexHashOf, isId, newId } from "./ids.ts";
import { type Log, logger } from "./log.ts";
import { Database } from "./postgres/database.ts";
import { Directory } from "./postgres/directory.ts";
import { PostgresSessions, type Snapshot, type WriteOptions } from "./postgres/sessions.ts";
import { type CacheRead, type Fence, SessionCache } from "./redis/cache.ts";
import { RedisLink } from "./redis/link.ts";
import { type Fallback, type NodeStatus, note, type Operable } from "./telemetry.ts";

/** One create in so many also removes sessions that expired long ago. */
const PURGE_EVERY = 256;

export class PolyglotNode implements SessionNode, ChosenIds, Operable {
  readonly #timing: Timing;
  readonly #log: Log;
  readonly #calls: Calls;
  readonly #database: Database;
  readonly #directory: Directory;
  readonly #sessions: PostgresSessions;
  readonly #epoch: EpochView;
  readonly #link: RedisLink;
  readonly #cache: SessionCache;
  #created = 0;

  constructor(config: NodeConfig, stores: { postgres: string; redis: string }) {
    this.#timing = timingOf(config);
    this.#log = logger(config.name);
    this.#calls = new Calls(this.#timing.callMs);
    this.#database = new Database(stores.postgres, this.#timing.callMs, this.#log);
    this.#directory = new Directory(this.#database);
    this.#sessions = new PostgresSessions(this.#database, () => this.#epoch);
    this.#epoch = new EpochView(this.#timing.stalenessMs, (deadline) =>
      this.#sessions.refreshEpoch(deadline),
    );
    const onLost = (): void => this.#epoch.distrust();
    this.#link = new RedisLink(stores.redis, this.#timing, onLost, this.#log);
    this.#cache = new SessionCache(this.#link, this.#timing);
  }

  /** A node opens whether or not its stores are there; while they aren't, its calls say so. */
  async open(): Promise<void> {
    const tried = await Promise.allSettled([this.#link.open(), this.check()]);
    for (const { reason } of tried.filter((one) => one.status === "rejected")) {
      this.#log("postgres.unreachable", { error: reason });
    }
  }

  /** Does now what the first look at a whole store would take the time for. @throws STORE_UNAVAILABLE */
  warmUp(): Promise<void> {
    return this.#calls.run(() => this.#directory.warmUp());
  }

  create(input: Parameters<SessionNode["create"]>[0]): Promise<Session> {
    return this.#calls.run(async (deadline) => {
      const row = {
        userId: checkText(input.userId, "userId"),
        device: checkText(input.device, "device"),
        data: JSON.stringify(input.data),
        ttlMs: checkTtl(input.ttlMs),
      };
      const id = newId();
      const hash = hashOf(id);
      const lease = await this.#cache.lease(hash.toString("hex"), this.#epoch.known);
      const snapshot = await this.#sessions.create(hash, row, deadline);
      if (lease) await this.#cache.fill(lease, snapshot, this.#msLeft(snapshot));
      note({ tier: lease ? "both" : "postgres" });
      this.#purgeNowAndThen();
      return withId(id, snapshot);
    });
  }

  get(id: string): Promise<Session | null> {
    return this.#calls.run(async (deadline) => {
      if (!isId(id)) return null;
      const { hit, lease } = await this.#readCache(hexHashOf(id), deadline);
      note({ tier: hit ? "redis" : "postgres" });
      if (hit) return { id, ...hit };
      const snapshot = await this.#sessions.read(hashOf(id), deadline);
      if (lease) await this.#cache.fill(lease, snapshot, this.#msLeft(snapshot));
      return snapshot.session ? { id, ...snapshot.session } : null;
    });
  }

  update(
    id: string,
    input: { readonly data: SessionData; readonly expectedVersion: number },
  ): Promise<Session> {
    const { expectedVersion } = input;
    return this.#calls.run(async (deadline) => {
      const data = JSON.stringify(input.data);
      const hash = checkedHash(id);
      const snapshot = await this.#change(hash, deadline, (options) =>
        this.#sessions.update(hash, { data, expectedVersion }, options),
      );
      if (snapshot.session) return withId(id, snapshot);
      const now = await this.#sessions.read(hash, deadline);
      throw now.session ? versionConflict(expectedVersion) : notFound();
    });
  }

  touch(id: string, ttlMs: number): Promise<Session> {
    return this.#calls.run(async (deadline) => {
      const ttl = checkTtl(ttlMs);
      const hash = checkedHash(id);
      const snapshot = await this.#change(hash, deadline, (options) =>
        this.#sessions.touch(hash, ttl, options),
      );
      return withId(id, snapshot);
    });
  }

  rotate(id: string): Promise<Session> {
    return this.#calls.run(async (deadline) => {
      const fresh = newId();
      const hash = checkedHash(id);
      const rotated = (options: WriteOptions): Promise<Snapshot> =>
        this.#sessions.rotate(hash, hashOf(fresh), options);
      return withId(fresh, await this.#change(hash, deadline, rotated, "gone"));
    });
  }

  destroy(id: string): Promise<void> {
    return this.#calls.run(async (deadline) => {
      if (!isId(id)) return;
      const hash = hashOf(id);
      const destroyed = (options: WriteOptions): Promise<Snapshot> =>
        this.#sessions.destroy(hash, options);
      await this.#change(hash, deadline, destroyed, "gone");
    });
  }

  destroyAll(userId: string): Promise<number> {
    return this.#calls.run(async (deadline) => {
      checkText(userId, "userId");
      const known = await this.#sessions.hashesOf(userId, deadline);
      const fences = await this.#fenceAll(known);
      const options = { deadline, fenced: fences !== undefined };
      const { hashes, live } = await this.#sessions.destroyAll(userId, options);
      if (fences) await this.#settleAll(fences, known, hashes, deadline);
      return live;
    });
  }

  list(userId: string): Promise<readonly Device[]> {
    return this.#calls.run(async (deadline) => {
      checkText(userId, "userId");
      return await this.#sessions.devices(userId, deadline);
    });
  }

  put(store: string, id: string, input: ChosenSession): Promise<Session | null> {
    return this.#calls.run(async (deadline) => {
      const userId = checkText(input.userId, "userId");
      const device = checkText(input.device, "device");
      const data = JSON.stringify(input.data);
      const row = { store, userId, device, data, ttlMs: checkTtl(input.ttlMs) };
      const hash = chosenHash(id);
      const { session } = await this.#change(hash, deadline, (options) =>
        this.#sessions.put(hash, row, options),
      );
      if (session?.version === 1) this.#purgeNowAndThen();
      return session ? { id, ...session } : null;
    });
  }

  end(store: string, id: string): Promise<void> {
    return this.#calls.run(async (deadline) => {
      const hash = chosenHash(id);
      const ended = (options: WriteOptions): Promise<Snapshot> =>
        this.#sessions.end(hash, store, options);
      await this.#change(hash, deadline, ended, "gone");
    });
  }

  sessionsOf(store: string): Promise<readonly Omit<Session, "id">[]> {
    return this.#calls.run(() => this.#directory.sessionsOf(store));
  }

  countOf(store: string): Promise<number> {
    return this.#calls.run(() => this.#directory.countOf(store));
  }

  clear(store: string): Promise<void> {
    return this.#calls.run((deadline) => this.#sessions.clear(store, deadline));
  }

  status(): NodeStatus {
    const { totalCount, idleCount, waitingCount } = this.#database.pool;
    return {
      redis: this.#cache.up ? "up" : "down",
      epoch: this.#epoch.known,
      pool: { open: totalCount, idle: idleCount, waiting: waitingCount },
    };
  }

  check(): Promise<void> {
    return this.#calls.run((deadline) => this.#sessions.refreshEpoch(deadline));
  }

  async close(): Promise<void> {
    await this.#calls.end();
    this.#link.close();
    await this.#directory.close();
    await this.#database.close();
  }

  /** Only a hit that may be served, or a lease. */
  async #readCache(hash: string, deadline: Deadline): Promise<CacheRead> {
    if (!this.#cache.up) return without("redis-down");
    const fresh = this.#epoch.fresh(deadline);
    if (!(typeof fresh === "boolean" ? fresh : await fresh)) return without("trust-lapsed");
    const epoch = this.#epoch.known;
    const found = await this.#cache.read(hash, epoch);
    if (!found.hit) return found;
    // While Redis answered, this node may have learnt of a newer epoch, and time went by.
    const current = this.#epoch.known === epoch && this.#sessions.clock.known;
    const alive = found.hit.expiresAt > this.#sessions.clock.latest(performance.now());
    return current && alive ? found : {};
  }

  /** `after`: whether the session can still be found under this hash when the write has succeeded. */
  async #change(
    hash: Buffer,
    deadline: Deadline,
    write: (options: WriteOptions) => Promise<Snapshot>,
    after: "there" | "gone" = "there",
  ): Promise<Snapshot> {
    const fence = await this.#cache.fence(hash.toString("hex"));
    note(fence ? { tier: "both" } : { tier: "postgres", fallback: "unconfirmed" });
    const snapshot = await write({ deadline, fenced: fence !== undefined });
    if (!fence) return snapshot;
    const cached = after === "gone" ? { ...snapshot, session: undefined } : snapshot;
    const stood = await this.#cache.release(fence, cached, this.#msLeft(cached));
    // The deadline of the call may have passed: growing the epoch is owed all the same.
    if (!stood) {
      note({ fallback: "unconfirmed" });
      await this.#sessions.growEpoch(Deadline.in(this.#timing.callMs));
    }
    return snapshot;
  }

  /** @returns undefined when one of them could not be confirmed */
  async #fenceAll(hashes: readonly Buffer[]): Promise<Fence[] | undefined> {
    if (!this.#cache.up) return undefined;
    const fences = await Promise.all(hashes.map((hash) => this.#cache.fence(hash.toString("hex"))));
    const confirmed = fences.filter((fence) => fence !== undefined);
    return confirmed.length === hashes.length ? confirmed : undefined;
  }

  /** Releases the fences, and has Redis forget sessions that began while the others were fenced. */
  async #settleAll(
    fences: readonly Fence[],
    known: readonly Buffer[],
    ended: readonly Buffer[],
    deadline: Deadline,
  ): Promise<void> {
    const unfenced = ended.filter((hash) => !known.some((other) => other.equals(hash)));
    const late = await this.#fenceAll(unfenced);
    const gone: Snapshot = { session: undefined, epoch: this.#epoch.known };
    const released = await Promise.all(
      [...fences, ...(late ?? [])].map((fence) => this.#cache.release(fence, gone, 0)),
    );
    if (late && released.every(Boolean)) return;
    await this.#sessions.growEpoch(
      new Deadline(Math.max(deadline.at, performance.now() + this.#timing.callMs)),
    );
  }

  #msLeft({ session }: Snapshot): number {
    return session ? session.expiresAt - this.#sessions.clock.latest(performance.now()) : 0;
  }

  #purgeNowAndThen(): void {
    if (++this.#created % PURGE_EVERY !== 0) return;
    const purged = this.#sessions.purge(Deadline.in(this.#timing.callMs));
    this.#calls.track(purged).catch((error: unknown) => this.#log("purge.failed", { error }));
  }
}

function without(fallback: Fallback): CacheRead {
  note({ fallback });
  return {};
}

function checkedHash(id: string): Buffer {
  if (!isId(id)) throw notFound();
  return hashOf(id);
}

function chosenHash(id: string): Buffer {
  if (!isId(id)) throw new RangeError("An id of 32 bytes in base64url is needed.");
  return hashOf(id);
}

function withId(id: string, { session }: Snapshot): Session {
  if (!session) throw notFound();
  return { id, ...session };
}
