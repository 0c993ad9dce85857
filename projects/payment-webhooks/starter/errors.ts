/** What everything but `receive` throws when PostgreSQL gives no answer in time (task 6). */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
  readonly code = "STORE_UNAVAILABLE";
}

/** Says which task a function waits for. None is left when you are done. */
export class NotImplemented extends Error {
  override readonly name = "NotImplemented";
  readonly code = "NOT_IMPLEMENTED";
}
