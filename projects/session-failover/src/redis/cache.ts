/**
 * Sessions in Redis: a cache that is allowed to lose everything, and to refuse, at any time.
 * Nothing here throws. What could not be confirmed is reported as such, and the caller makes up for
 * it in PostgreSQL.
 */
import { randomUUID } from "node:crypto";
import type { Timing } from "../config.ts";
import type { Snapshot, StoredSession } from "../postgres/sessions.ts";
import type { Connection, RedisLink } from "./link.ts";
import { ReadBatch } from "./read-batch.ts";
import { FENCE, FILL, LEASE, RELEASE, type Script } from "./scripts.ts";

/** A right to change something under one key; it counts only on the server that gave it. */
interface Grant {
  readonly connection: Connection;
  readonly key: string;
  readonly token: string;
}
/** The right to fill the cache, if nobody writes to the session before that. */
export type Lease = Grant;
/** The promise of Redis that it serves nothing for a session. */
export type Fence = Grant;

/** A session, or the right to cache it, or neither. */
export interface CacheRead {
  readonly hit?: StoredSession;
  readonly lease?: Lease;
}

const NOTHING: CacheRead = {};

export class SessionCache {
  readonly #link: RedisLink;
  readonly #timing: Timing;
  #batch: ReadBatch | undefined;

  constructor(link: RedisLink, timing: Timing) {
    this.#link = link;
    this.#timing = timing;
  }

  get up(): boolean {
    return this.#link.connection !== undefined;
  }

  /** A session whose tag is at least `epoch`, or a lease to fill it, or neither. */
  async read(hash: string, epoch: number): Promise<CacheRead> {
    const { connection } = this.#link;
    if (!connection) return NOTHING;
    const batch = this.#batchOn(connection);
    const at = batch.add(keyOf(connection, hash));
    const values = await batch.values;
    if (!values) return NOTHING;
    const hit = decode(values[at], epoch);
    if (hit) return { hit };
    const lease = await this.lease(hash, epoch);
    return lease ? { lease } : NOTHING;
  }

  /** @returns undefined where there is nothing to fill, or somebody else does it, or must not */
  async lease(hash: string, epoch: number): Promise<Lease | undefined> {
    const grant = this.#grant(hash);
    if (!grant) return undefined;
    const reply = await this.#run(LEASE, grant, [epoch, grant.token, this.#timing.leaseMs]);
    return reply === 1 ? grant : undefined;
  }

  /** `msLeft`: how long the session still lives, rather too short than too long */
  async fill(lease: Lease, snapshot: Snapshot, msLeft: number): Promise<void> {
    const value = this.#value(snapshot, msLeft);
    if (value) await this.#run(FILL, lease, [lease.token, ...value]);
  }

  /** @returns undefined when Redis did not confirm: it may serve old content */
  async fence(hash: string): Promise<Fence | undefined> {
    const grant = this.#grant(hash);
    if (!grant) return undefined;
    const reply = await this.#run(FENCE, grant, [grant.token, this.#timing.fenceMs]);
    return reply === 1 ? grant : undefined;
  }

  /**
   * Ends a fence after the write; when no other writer was about, the new state is cached.
   * @returns whether the fence is known to have stood until now
   */
  async release(fence: Fence, snapshot: Snapshot, msLeft: number): Promise<boolean> {
    const value = this.#value(snapshot, msLeft) ?? [];
    return (await this.#run(RELEASE, fence, [fence.token, ...value])) === 1;
  }

  #batchOn(connection: Connection): ReadBatch {
    if (!this.#batch?.takes(connection)) {
      this.#batch = new ReadBatch(connection, (keys) =>
        this.#link.values(connection, keys).catch(unconfirmed),
      );
    }
    return this.#batch;
  }

  #grant(hash: string): Grant | undefined {
    const { connection } = this.#link;
    return connection && { connection, key: keyOf(connection, hash), token: randomUUID() };
  }

  #value({ session, epoch }: Snapshot, msLeft: number): [string, number] | undefined {
    const ms = Math.floor(Math.min(msLeft, this.#timing.cacheMs));
    return session && ms > 0 ? [`${epoch} ${JSON.stringify(session)}`, ms] : undefined;
  }

  #run(
    script: Script,
    { connection, key }: Grant,
    args: readonly (string | number)[],
  ): Promise<unknown> {
    return this.#link.run(connection, script, [key, `${key}:guard`], args).catch(unconfirmed);
  }
}

/** The braces keep a session's two keys together where keys are spread over several servers. */
function keyOf({ runId }: Connection, hash: string): string {
  return `session:${runId}:{${hash}}`;
}

function decode(value: string | null | undefined, epoch: number): StoredSession | undefined {
  if (!value) return undefined;
  const json = value.indexOf(" ");
  if (Number(value.slice(0, json)) < epoch) return undefined;
  return JSON.parse(value.slice(json)) as StoredSession;
}

/** The link has logged and counted it. */
function unconfirmed(): undefined {
  return undefined;
}
