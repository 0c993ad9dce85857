/** What everything but `receive` throws when PostgreSQL gives no answer in time. */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
  readonly code = "STORE_UNAVAILABLE";
}
