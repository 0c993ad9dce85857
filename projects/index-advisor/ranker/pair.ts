/** What the collector writes down, and how it is kept: whole, and only on the machine that collected it. */
import { readFileSync, writeFileSync } from "node:fs";
import { deserialize, serialize } from "node:v8";
import type { Catalog } from "../src/catalog.ts";
import type { Candidate, Query } from "../src/model.ts";

/** A statement without an index, and the same with it. */
export interface Pair {
  readonly template: string;
  /** Which of {@link Collected.catalogs} it was measured with. */
  readonly catalog: number;
  readonly sql: string;
  readonly query: Query;
  readonly candidate: Candidate;
  /** The advisor thought of it; otherwise it was drawn. */
  readonly proposed: boolean;
  /** EXPLAIN's JSON. */
  readonly planBefore: unknown;
  /** With the index pretended by HypoPG; `undefined` where that can't be. */
  readonly planPretended?: unknown;
  /** With the index really there. */
  readonly planAfter: unknown;
  /** The planner uses it once it is there. */
  readonly used: boolean;
  /** Medians of warm runs, in milliseconds. */
  readonly beforeMs: number;
  readonly afterMs: number;
}

export interface Collected {
  readonly serverVersion: number;
  readonly catalogs: readonly Catalog[];
  readonly pairs: readonly Pair[];
}

/** Not in Git: plans take some 20 MB. What is trained with is `data/pairs.jsonl`. */
const file = new URL("../.kata/ranker-pairs.v8", import.meta.url);

// Catalogues hold maps and sets, which JSON has no word for.
export function saveCollected(collected: Collected): void {
  writeFileSync(file, serialize(collected));
}

/** @throws where nothing was collected yet */
export function loadCollected(): Collected {
  return deserialize(readFileSync(file)) as Collected;
}
