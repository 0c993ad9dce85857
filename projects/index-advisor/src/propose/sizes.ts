/** Sizes that keep nothing out that might fit. */
import { type Catalog, findTable } from "../catalog.ts";
import type { Candidate, WhatIf } from "../model.ts";
import type { Builds } from "../whatif/builds.ts";

/** An entry's place in the table: what each further row with the same key takes (PostgreSQL's manual, 67.4.3). */
const PLACE_BYTES = 6;
/** Of a key's first entry, besides its values: its place on the page and its header. */
const HEADER_BYTES = 12;
/** Where no statistics tell how often keys are repeated: so small may it turn out to be. */
const UNKNOWN = 0.05;

/**
 * An estimate that is far too high would keep out what would fit, and nobody would find out. One that is too low
 * is found out by building: so what wasn't built counts as little as it can be.
 */
export function optimistic(whatIf: WhatIf, builds: Builds, catalog: Catalog): WhatIf {
  return {
    kind: whatIf.kind,
    get calls() {
      return whatIf.calls;
    },
    costs: (queries, set) => whatIf.costs(queries, set),
    plan: (query, set) => whatIf.plan(query, set),
    async size(candidate) {
      const bytes = await whatIf.size(candidate);
      const isKnown = builds.sizeOf(candidate) !== undefined;
      return isKnown ? bytes : Math.min(bytes, leastOf(candidate, catalog) ?? bytes * UNKNOWN);
    },
    [Symbol.asyncDispose]: () => whatIf[Symbol.asyncDispose](),
  };
}

/** Only btrees that carry nothing along store equal keys once; how many rows a predicate leaves, HypoPG reckons. */
function leastOf({ index }: Candidate, catalog: Catalog): number | undefined {
  if (index.method !== "btree" || index.include.length > 0 || index.where !== undefined) {
    return Number.POSITIVE_INFINITY;
  }
  const table = findTable(catalog, index.table, index.schema);
  const keys = index.keys.map(
    ({ column }) => table?.columns.find(({ name }) => name === column)?.statistics,
  );
  if (table === undefined || keys.some((key) => key === undefined)) return undefined;
  const width = keys.reduce((sum, key) => sum + (key?.averageWidth ?? 0), 0);
  const distinct = Math.max(...keys.map((key) => key?.distinct ?? 0));
  return table.rows * PLACE_BYTES + distinct * (HEADER_BYTES + width);
}
