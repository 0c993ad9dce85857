/** Active sessions live in Redis; when its connection fails, PostgreSQL takes over. */
import { Redis } from "ioredis";
import type { Device, NodeConfig, Session, SessionData, SessionNode } from "../contract.ts";
import { notFound, versionConflict } from "./errors.ts";
import { newId } from "./ids.ts";
import { PolyglotNode } from "./polyglot-node.ts";

type Stored = Omit<Session, "id"> & { readonly device: string; readonly createdAt: number };

/** KEYS: session. ARGV: expected version, JSON of the data. Replies -1 conflict, 0 none, else 1. */
const UPDATE = `
local found = redis.call('GET', KEYS[1])
if not found then return 0 end
local version = tonumber(string.match(found, '"version":(%d+)'))
if version ~= tonumber(ARGV[1]) then return -1 end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1`;

export class RedisFirstNode extends PolyglotNode {
  readonly #redis: Redis;

  constructor(config: NodeConfig, stores: { postgres: string; redis: string }) {
    super(config, stores);
    this.#redis = new Redis(stores.redis, {
      lazyConnect: true,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
    });
    this.#redis.on("error", () => {});
  }

  override async open(): Promise<void> {
    await Promise.all([super.open(), this.#redis.connect()]);
  }

  override create(input: Parameters<SessionNode["create"]>[0]): Promise<Session> {
    const { userId, device, data, ttlMs } = input;
    const createdAt = Date.now();
    const stored = { userId, device, data, version: 1, createdAt, expiresAt: createdAt + ttlMs };
    return this.#orPostgres(
      () => this.#save(newId(), stored),
      () => super.create(input),
    );
  }

  override get(id: string): Promise<Session | null> {
    return this.#orPostgres(
      async () => {
        const stored = await this.#load(id);
        return stored && sessionOf(id, stored);
      },
      () => super.get(id),
    );
  }

  override update(
    id: string,
    input: { readonly data: SessionData; readonly expectedVersion: number },
  ): Promise<Session> {
    return this.#orPostgres(
      async () => {
        const { expectedVersion, data } = input;
        const stored = await this.#load(id);
        if (!stored) throw notFound();
        const next = { ...stored, data, version: expectedVersion + 1 };
        const done = await this.#redis.eval(UPDATE, 1, key(id), expectedVersion, pack(next));
        if (done === 0) throw notFound();
        if (done === -1) throw versionConflict(expectedVersion);
        return sessionOf(id, next);
      },
      () => super.update(id, input),
    );
  }

  override touch(id: string, ttlMs: number): Promise<Session> {
    return this.#orPostgres(
      async () => {
        const stored = await this.#load(id);
        if (!stored) throw notFound();
        return await this.#save(id, { ...stored, expiresAt: Date.now() + ttlMs });
      },
      () => super.touch(id, ttlMs),
    );
  }

  override rotate(id: string): Promise<Session> {
    return this.#orPostgres(
      async () => {
        const stored = await this.#load(id);
        if (!stored || (await this.#redis.del(key(id))) === 0) throw notFound();
        return await this.#save(newId(), stored);
      },
      () => super.rotate(id),
    );
  }

  override destroy(id: string): Promise<void> {
    return this.#orPostgres(
      async () => {
        await this.#redis.del(key(id));
      },
      () => super.destroy(id),
    );
  }

  override destroyAll(userId: string): Promise<number> {
    return this.#orPostgres(
      async () => {
        const ids = await this.#redis.smembers(`user:${userId}`);
        return ids.length === 0 ? 0 : await this.#redis.del(...ids.map(key));
      },
      () => super.destroyAll(userId),
    );
  }

  override list(userId: string): Promise<readonly Device[]> {
    return this.#orPostgres(
      async () => {
        const ids = await this.#redis.smembers(`user:${userId}`);
        const all = await Promise.all(ids.map((id) => this.#load(id)));
        return all
          .filter((stored) => stored !== null)
          .sort((one, other) => one.createdAt - other.createdAt)
          .map(({ device, createdAt, expiresAt }) => ({ device, createdAt, expiresAt }));
      },
      () => super.list(userId),
    );
  }

  override async close(): Promise<void> {
    this.#redis.disconnect();
    await super.close();
  }

  async #load(id: string): Promise<Stored | null> {
    const found = await this.#redis.get(key(id));
    return found === null ? null : (JSON.parse(found) as Stored);
  }

  async #save(id: string, stored: Stored): Promise<Session> {
    await this.#redis
      .multi()
      .set(key(id), pack(stored), "PXAT", stored.expiresAt)
      .sadd(`user:${stored.userId}`, id)
      .exec();
    return sessionOf(id, stored);
  }

  async #orPostgres<T>(redis: () => Promise<T>, postgres: () => Promise<T>): Promise<T> {
    try {
      return await redis();
    } catch (error) {
      if (error instanceof Error && "code" in error && isAnswer(error.code)) throw error;
      return await postgres();
    }
  }
}

function isAnswer(code: unknown): boolean {
  return code === "NOT_FOUND" || code === "VERSION_CONFLICT";
}

function key(id: string): string {
  return `session:${id}`;
}

/** The version comes first, where the script looks for it. */
function pack({ version, ...rest }: Stored): string {
  return JSON.stringify({ version, ...rest });
}

function sessionOf(id: string, { userId, data, version, expiresAt }: Stored): Session {
  return { id, userId, data, version, expiresAt };
}
