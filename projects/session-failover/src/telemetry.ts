/**
 * What happened inside a call, for those who measure it. The call itself doesn't know who listens: it
 * leaves notes, which cost next to nothing when nobody does.
 */
import { AsyncLocalStorage } from "node:async_hooks";

/** Which stores an answer came from. Of a write: `both` when Redis confirmed it as well. */
export type Tier = "redis" | "postgres" | "both" | "sqlite";

/**
 * Why Redis had no part in it.
 * - `redis-down`: the breaker is open.
 * - `trust-lapsed`: PostgreSQL did not confirm the cache epoch in time, so Redis can't be believed.
 * - `unconfirmed`: a write that Redis did not confirm; it makes all that is cached untrusted.
 */
export type Fallback = "redis-down" | "trust-lapsed" | "unconfirmed";

export interface CallNotes {
  tier?: Tier;
  fallback?: Fallback;
}

/** How a node is right now, without asking any store. */
export interface NodeStatus {
  readonly redis: "up" | "down" | "none";
  /** The cache epoch as this node knows it; it grows with each write that Redis did not confirm. */
  readonly epoch: number;
  /** Connections to PostgreSQL: open, unused, and requests that wait for one. */
  readonly pool: { readonly open: number; readonly idle: number; readonly waiting: number };
}

/** What somebody who operates a node may ask of it. */
export interface Operable {
  status(): NodeStatus;
  /** Asks the system of record. @throws STORE_UNAVAILABLE when it gives no answer within the budget */
  check(): Promise<void>;
}

const listening = new AsyncLocalStorage<CallNotes>();

/** Called by the code that is being observed. */
export function note(notes: CallNotes): void {
  const listener = listening.getStore();
  if (listener) Object.assign(listener, notes);
}

/** Runs a call and collects its notes in `notes`; whoever observes from further out gets them too. */
export async function noted<T>(notes: CallNotes, call: () => Promise<T>): Promise<T> {
  try {
    return await listening.run(notes, call);
  } finally {
    note(notes);
  }
}
