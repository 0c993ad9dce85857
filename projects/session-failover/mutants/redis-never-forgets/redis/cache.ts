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
import { FENCE, FILL, READ, RELEASE, type Script } from "./scripts.ts";

/** A right to change something under one key. */
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
  async read(hash: Buffer, epoch: number): Promise<CacheRead> {
    const grant = this.#grant(hash);
    if (!grant) return {};
    const batch = this.#batchOn(grant.connection);
    const at = batch.add(grant.key, epoch);
    const reply = (await batch.replies)?.[at];
    if (typeof reply === "string") return { hit: JSON.parse(reply) as StoredSession };
    return reply === 1 ? { lease: { ...grant, token: batch.token } } : {};
  }

  /** `msLeft`: how long the session still lives, rather too short than too long */
  async fill(lease: Lease, { session, epoch }: Snapshot, msLeft: number): Promise<void> {
    const value = this.#value(session, epoch, msLeft);
    if (value) await this.#run(FILL, lease, [lease.token, ...value]);
  }

  /** @returns undefined when Redis did not confirm: it may serve old content */
  async fence(hash: Buffer): Promise<Fence | undefined> {
    const grant = this.#grant(hash);
    if (!grant) return undefined;
    const reply = await this.#run(FENCE, grant, [grant.token, this.#timing.fenceMs]);
    return reply === 1 ? grant : undefined;
  }

  /**
   * Ends a fence after the write; when no other writer was about, the new state is cached.
   * @returns whether the fence is known to have stood until now
   */
  async release(fence: Fence, { session, epoch }: Snapshot, msLeft: number): Promise<boolean> {
    const value = this.#value(session, epoch, msLeft) ?? [];
    return (await this.#run(RELEASE, fence, [fence.token, ...value])) === 1;
  }

  #batchOn(connection: Connection): ReadBatch {
    if (!this.#batch?.takes(connection)) {
      this.#batch = new ReadBatch(connection, async ({ keys, epoch, token }) => {
        const target = { connection, key: keys };
        const args = [epoch, token, this.#timing.leaseMs];
        return (await this.#run(READ, target, args)) as readonly unknown[] | undefined;
      });
    }
    return this.#batch;
  }

  #grant(hash: Buffer): Grant | undefined {
    const { connection } = this.#link;
    if (!connection) return undefined;
    return {
      connection,
      key: `session:${hash.toString("base64url")}`,
      token: randomUUID(),
    };
  }

  #value(
    session: StoredSession | undefined,
    epoch: number,
    msLeft: number,
  ): [string, number, number] | undefined {
    const ms = Math.floor(Math.min(msLeft, this.#timing.cacheMs));
    return session && ms > 0 ? [JSON.stringify(session), epoch, ms] : undefined;
  }

  async #run(
    script: Script,
    { connection, key }: { connection: Connection; key: string | readonly string[] },
    args: readonly (string | number)[],
  ): Promise<unknown> {
    try {
      return await this.#link.run(connection, script, key, args);
    } catch {
      return undefined; // the link has logged and counted it
    }
  }
}
