/**
 * Sessions in Redis: a cache that is allowed to lose everything, and to refuse, at any time.
 * Nothing here throws. What could not be confirmed is reported as such, and the caller makes up for
 * it in PostgreSQL.
 */
import { randomBytes } from "node:crypto";
import { ReplyError } from "ioredis";
import type { Timing } from "../config.ts";
import type { Snapshot, StoredSession } from "../postgres/sessions.ts";
import type { Connection, RedisLink } from "./link.ts";
import { FENCE, FILL, READ, RELEASE } from "./scripts.ts";

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

export class SessionCache {
  readonly #link: RedisLink;
  readonly #timing: Timing;

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
    const args = [epoch, grant.token, this.#timing.leaseMs];
    const [reply] = ((await this.#run(READ, grant, args)) ?? []) as readonly unknown[];
    if (typeof reply === "string") return { hit: JSON.parse(reply) as StoredSession };
    return reply === 1 ? { lease: grant } : {};
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

  #grant(hash: Buffer): Grant | undefined {
    const { connection } = this.#link;
    if (!connection) return undefined;
    return {
      connection,
      key: `session:${connection.runId}:${hash.toString("base64url")}`,
      token: randomBytes(9).toString("base64url"),
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
    script: typeof READ,
    { connection, key }: Grant,
    args: readonly (string | number)[],
  ): Promise<unknown> {
    try {
      return await this.#link.run(connection, script, key, args);
    } catch (error) {
      if (error instanceof Error && error.cause instanceof ReplyError) throw error.cause;
      return undefined; // the link has logged and counted it
    }
  }
}
