/** Index definitions as SQL. */
import type { IndexSpec } from "./model.ts";

/** `CREATE INDEX [CONCURRENTLY] name ON schema.table USING …`, without a semicolon. */
export function createIndexSql(
  _index: IndexSpec,
  _name: string,
  _options: { readonly concurrently?: boolean } = {},
): string {
  throw new Error("not yet");
}

/** At most 63 bytes; the same for the same index, different for different ones. */
export function indexName(_index: IndexSpec): string {
  throw new Error("not yet");
}

/** Whether both would be the same index, but for the name. */
export function sameIndex(_a: IndexSpec, _b: IndexSpec): boolean {
  throw new Error("not yet");
}
