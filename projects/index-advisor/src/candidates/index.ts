/** Indexes that could help. */
import type { Catalog } from "../catalog.ts";
import type { Candidate, Query } from "../model.ts";

/** None that exists already, none that an existing one makes superfluous, none twice. */
export function candidatesFor(_queries: readonly Query[], _catalog: Catalog): readonly Candidate[] {
  throw new Error("not yet");
}
