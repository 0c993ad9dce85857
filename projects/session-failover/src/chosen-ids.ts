/**
 * What nodes can do beyond the contract: keep sessions whose ids somebody else chose. Session
 * middleware (express-session, @fastify/session) makes up an id and saves under it, without saying
 * whether the session is new. The contract has no such operation, because a save that creates is how
 * a logout is undone; here an id that has ended stays ended, so that a late save does nothing.
 */
import type { Session, SessionData } from "../contract.ts";

/** Whose sessions are those without a login; not for user ids of an application. */
export const NOBODY = "(nobody)";

export interface ChosenSession {
  readonly userId: string;
  readonly device: string;
  readonly data: SessionData;
  readonly ttlMs: number;
}

/** `store` names who chose the ids. Ids have the form of the contract's: see `isId`. */
export interface ChosenIds {
  /**
   * Creates the session, or replaces all of it but its id: the last write wins.
   * @returns null when the session has ended (destroyed, rotated away, expired); nothing was written
   */
  put(store: string, id: string, session: ChosenSession): Promise<Session | null>;

  /** Ends a session for good: saving under this id does nothing for an hour, even if there was none. */
  end(store: string, id: string): Promise<void>;

  /** The live sessions of a store, in no particular order, without their ids: nobody kept those. */
  sessionsOf(store: string): Promise<readonly Omit<Session, "id">[]>;

  countOf(store: string): Promise<number>;

  /** Ends all sessions of a store. Other nodes see it within S. */
  clear(store: string): Promise<void>;
}
