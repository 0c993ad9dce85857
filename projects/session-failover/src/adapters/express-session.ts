/**
 * A store for `express-session`, and for `@fastify/session`, which speaks the same interface.
 *
 * The middleware makes up the session id, keeps it in the cookie, and saves with `set(sid, session)`,
 * which has to create what isn't there. So:
 *
 * - The middleware's id never reaches a store: our id is a digest of it, and the node stores a digest
 *   of that. Its randomness is that of the middleware's `genid` (144 bits by default).
 * - An id that has ended stays ended. The request that is still running when its user logs out saves
 *   into the void, also on another node, also after all of the user's sessions were ended at once.
 * - Two requests that save one session: the last one wins, as with every store of this interface,
 *   which has no versions. Applications that need them use the node itself.
 * - While no store can give a safe answer, every operation fails with a 503 error. This store never
 *   emits `disconnect`: the middleware would then go on without a session, that is, fail open.
 */
import { hash } from "node:crypto";
import session from "express-session";
import type { SessionData, SessionNode } from "../../contract.ts";
import { type ChosenIds, NOBODY } from "../chosen-ids.ts";
import { SessionError } from "../errors.ts";
import { asHttpError } from "./http-error.ts";

export interface StoreOptions {
  /** Keeps apart the sessions of several applications on one database. Default `"express-session"`. */
  readonly name?: string;
  /**
   * How long a session lives whose cookie has no end (`maxAge` unset), in milliseconds since it was
   * last saved or touched. Default one day.
   */
  readonly ttlMs?: number;
  /** Whose session it is, so that `list` and `destroyAll` of the node find it. Undefined: nobody's yet. */
  readonly userOf?: (session: session.SessionData) => string | undefined;
  /** What `list` calls the device. */
  readonly deviceOf?: (session: session.SessionData) => string | undefined;
}

type Callback<T> = ((error: unknown, value?: T) => void) | undefined;
const DAY_MS = 24 * 60 * 60 * 1_000;
/** Cookies may claim to live for longer than a node keeps anything. */
const LONGEST_MS = 10 * 365 * DAY_MS;

/** Every method takes a callback, returns a promise, or both. */
export class SessionStore extends session.Store {
  readonly #node: SessionNode & ChosenIds;
  readonly #options: Required<StoreOptions>;

  constructor(node: SessionNode & ChosenIds, options: StoreOptions = {}) {
    super();
    this.#node = node;
    this.#options = {
      name: "express-session",
      ttlMs: DAY_MS,
      userOf: () => undefined,
      deviceOf: () => undefined,
      ...options,
    };
  }

  override get(
    sid: string,
    callback?: (error: unknown, session?: session.SessionData | null) => void,
  ): Promise<session.SessionData | null> {
    const found = (): Promise<session.SessionData | null> =>
      this.#node.get(this.#idOf(sid)).then((one) => one && asMiddlewareKnowsIt(one));
    return answer(found, callback);
  }

  /** Does nothing when the session has ended; ends it when its cookie has, or has no valid end. */
  override set(
    sid: string,
    session: session.SessionData,
    callback?: (error?: unknown) => void,
  ): Promise<void> {
    return answer(async () => {
      const { name, userOf, deviceOf } = this.#options;
      const ttlMs = this.#ttlOf(session);
      if (!(ttlMs > 0)) return await this.#node.end(name, this.#idOf(sid));
      await this.#node.put(name, this.#idOf(sid), {
        userId: userOf(session) ?? NOBODY,
        device: deviceOf(session) ?? "",
        data: session as unknown as SessionData,
        ttlMs,
      });
    }, callback);
  }

  override destroy(sid: string, callback?: (error?: unknown) => void): Promise<void> {
    return answer(() => this.#node.end(this.#options.name, this.#idOf(sid)), callback);
  }

  /** Moves the end of a session, whose data stays what it is. Does nothing when it has ended. */
  override touch(
    sid: string,
    session: session.SessionData,
    callback?: (error?: unknown) => void,
  ): Promise<void> {
    return answer(async () => {
      const ttlMs = this.#ttlOf(session);
      if (!(ttlMs > 0)) return await this.#node.end(this.#options.name, this.#idOf(sid));
      try {
        await this.#node.touch(this.#idOf(sid), ttlMs);
      } catch (error) {
        if (!(error instanceof SessionError && error.code === "NOT_FOUND")) throw error;
      }
    }, callback);
  }

  /** All live sessions of this store, without their ids, which nobody kept. */
  override all(
    callback?: (error: unknown, sessions?: session.SessionData[] | null) => void,
  ): Promise<session.SessionData[]> {
    return answer(async () => {
      const found = await this.#node.sessionsOf(this.#options.name);
      return found.map(asMiddlewareKnowsIt);
    }, callback);
  }

  override length(callback?: (error: unknown, length?: number) => void): Promise<number> {
    return answer(() => this.#node.countOf(this.#options.name), callback);
  }

  /** Ends all sessions of this store. Their ids stay ended. */
  override clear(callback?: (error?: unknown) => void): Promise<void> {
    return answer(() => this.#node.clear(this.#options.name), callback);
  }

  #idOf(sid: string): string {
    return hash("sha256", `${this.#options.name}\0${sid}`, "base64url");
  }

  #ttlOf({ cookie }: Partial<session.SessionData>): number {
    const { expires } = cookie ?? {};
    if (!expires) return this.#options.ttlMs;
    // How long, not until when: the end goes by the database's clock, whatever this machine's says.
    return Math.min(new Date(expires).getTime() - Date.now(), LONGEST_MS);
  }
}

/** A touch moves the end that the database knows, and no other: the cookie's is derived from it. */
function asMiddlewareKnowsIt(found: { data: SessionData; expiresAt: number }): session.SessionData {
  const data = { ...found.data } as unknown as session.SessionData;
  if (data.cookie?.expires) {
    const expires = new Date(found.expiresAt).toISOString();
    data.cookie = { ...data.cookie, expires: expires as unknown as Date };
  }
  return data;
}

function answer<T>(work: () => Promise<T>, callback: Callback<T>): Promise<T> {
  // On its own turn: what a callback throws is not ours to swallow, or to answer twice.
  const tell = (error: unknown, value?: T) => callback && process.nextTick(callback, error, value);
  const answered = work().then(
    (value) => {
      tell(null, value);
      return value;
    },
    (error: unknown) => {
      const known = asHttpError(error);
      tell(known);
      throw known;
    },
  );
  // `req.session.destroy()` without a callback must not end the process when the stores are away.
  answered.catch(() => {});
  return answered;
}
