/** What the suite must know about an engine in order to use it; one `kit.ts` beside each definition. */
export interface Kit {
  /** @param url as a submission or a grader gets it */
  connect(url: string): Promise<Session>;
  /** Prepares a namespace: afterwards {@link Session.get} finds `prepared`. */
  prepare(url: string): Promise<void>;
  /** Its clients open and renew connections as they like: one that broke between two requests is nobody's failure. */
  readonly reconnects?: true;
  /** What this engine promises besides, by name; each on a namespace of its own, and rejects where it isn't so. */
  readonly extras?: Readonly<Record<string, (url: string) => Promise<void>>>;
  /** What the messages say by which `set` takes effect and `get` reads; for engines that can `gate`. */
  readonly requests?: { readonly set: string; readonly get: string };
}

/** One connection. Every method rejects when the connection breaks. */
export interface Session {
  set(key: string, value: string): Promise<void>;
  get(key: string): Promise<string | undefined>;
  /** Something for which a submission lacks the right; undefined where an engine knows no rights. */
  readonly administer?: () => Promise<unknown>;
  close(): Promise<void>;
}
