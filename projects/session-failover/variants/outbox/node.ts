/** PostgreSQL decides and Redis answers, as long as it can be proved to be new enough. */
import type { NodeConfig, Session, SessionData } from "../../contract.ts";
import { type Timing, timingOf } from "../../src/config.ts";
import { Deadline, within } from "../../src/deadline.ts";
import { hashOf } from "../../src/ids.ts";
import { logger } from "../../src/log.ts";
import { RedisLink } from "../../src/redis/link.ts";
import { PostgresNode } from "../postgres-only/node.ts";
import { repeatable } from "../postgres-only/statements.ts";
import { Relay } from "./relay.ts";
import { READ } from "./scripts.ts";
import { Watermark } from "./watermark.ts";

const wakeRelays = repeatable("wake-relays", "SELECT pg_notify('outbox', '')");
/** The share of a call for which a write waits for Redis to confirm it. */
const CONFIRM_SHARE = 1 / 3;
/** A round may fail because somebody else's ended badly. */
const CONFIRM_TRIES = 3;

export class OutboxNode extends PostgresNode {
  readonly #timing: Timing;
  readonly #watermark: Watermark;
  readonly #link: RedisLink;
  readonly #relay: Relay;

  constructor(config: NodeConfig, stores: { postgres: string; redis: string }) {
    super(config, stores.postgres);
    const log = logger(config.name);
    const timing = timingOf(config);
    const watermark = new Watermark(timing.stalenessMs);
    const link = new RedisLink(stores.redis, timing, () => watermark.distrust(), log);
    this.#timing = timing;
    this.#watermark = watermark;
    this.#link = link;
    this.#relay = new Relay(config, stores.postgres, { link, watermark, timing, log });
  }

  /** Whether or not the stores are there. Afterwards the first call finds its connections made. */
  async open(): Promise<void> {
    const redis = this.#link.open().then(() => this.#relay.flush());
    await Promise.allSettled([redis, this.list("")]);
  }

  // create() waits for no round: nobody can have asked Redis for an id that is new.

  override update(
    id: string,
    input: { readonly data: SessionData; readonly expectedVersion: number },
  ): Promise<Session> {
    return this.#write(id, () => super.update(id, input));
  }

  override touch(id: string, ttlMs: number): Promise<Session> {
    return this.#write(id, () => super.touch(id, ttlMs));
  }

  override rotate(id: string): Promise<Session> {
    return this.#write(id, () => super.rotate(id));
  }

  override destroy(id: string): Promise<void> {
    return this.#write(id, () => super.destroy(id));
  }

  override destroyAll(userId: string): Promise<number> {
    return this.#write(undefined, () => super.destroyAll(userId));
  }

  override async close(): Promise<void> {
    await this.calls.end();
    await this.#relay.close();
    this.#link.close();
    await super.close();
  }

  protected override async read(id: string, deadline: Deadline): Promise<Session | null> {
    const hash = hashOf(id);
    const key = hash.toString("base64url");
    const answer = await this.#ask(key);
    if (answer && !this.#watermark.mayBeOver(answer.expiresAt)) return { id, ...answer };
    const session = await super.read(id, deadline);
    this.#watermark.saw(key);
    if (session && answer === null) this.#relay.missed(hash);
    return session;
  }

  /** What Redis holds: null when that is nothing, undefined when it can't be believed. */
  async #ask(key: string): Promise<Omit<Session, "id"> | null | undefined> {
    const { connection } = this.#link;
    const { head } = this.#relay;
    if (!connection || !head || !this.#watermark.hopeful) return undefined;
    const reply = await this.#link.run(connection, READ, head, [key]).catch(() => {
      // Silence may be the first that is heard of a restart: what was proved before it is void.
      this.#watermark.distrust();
    });
    if (!reply) return undefined;
    const [n, session] = reply as [position: string, session: string | null];
    if (!this.#watermark.covers(key, Number(n))) return undefined;
    return session === null ? null : (JSON.parse(session) as Omit<Session, "id">);
  }

  /** `id`: the session that is written; without it, many. */
  #write<T>(id: string | undefined, work: () => Promise<T>): Promise<T> {
    return this.calls.run(async (deadline) => {
      const result = await work().finally(() => {
        // Also after a conflict: who reads again must find what was in the way.
        if (id === undefined) this.#watermark.distrust();
        else this.#watermark.saw(hashOf(id).toString("base64url"));
      });
      await this.#confirm(deadline);
      return result;
    });
  }

  /** Waits until Redis has the write; when that takes too long, leaves it to other nodes. */
  async #confirm(deadline: Deadline): Promise<void> {
    const patience = Deadline.in(Math.min(this.#timing.callMs * CONFIRM_SHARE, deadline.left));
    for (let tries = 0; tries < CONFIRM_TRIES && this.#link.connection; tries++) {
      if (await within(patience, this.#relay.flush()).catch(() => false)) return;
    }
    const wake = this.database.run(wakeRelays, [], Deadline.in(this.#timing.callMs));
    this.calls.track(wake).catch(() => {}); // within S they look by themselves
  }
}
