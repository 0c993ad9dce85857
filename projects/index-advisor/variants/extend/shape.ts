/** What a statement asks of each table that it uses. */
import type { Table } from "./catalogue.ts";

/** What an index could be on: a column, or an expression of one table's columns. */
export interface Key {
  /** As `CREATE INDEX` wants it: `"a"` or `(lower("a"))`. */
  readonly sql: string;
  readonly columns: readonly string[];
  /** Set where it is a column and nothing else. */
  readonly column: string | undefined;
}

/** How a condition uses a key: by equality, by a range, by another operator, or by the distance from it. */
export type Kind = "equal" | "range" | "search" | "nearest";

export interface Condition {
  readonly use: Use;
  readonly key: Key;
  readonly kind: Kind;
  readonly operator: string;
  /** Of LIKE: whether the pattern may begin with the value's beginning. */
  readonly anchored: boolean;
}

export interface OrderKey {
  readonly key: Key;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** One table in one place of a statement. A table that is joined with itself has two. */
export interface Use {
  readonly table: Table;
  readonly conditions: Condition[];
  /** Orders that stop early, because of a LIMIT or a minimum. */
  readonly orders: (readonly OrderKey[])[];
  /** Conditions of which any will do, so that an index for one of them is worth nothing alone. */
  readonly alternatives: (readonly Condition[])[];
}

/** A parameter's place in the text, and what its value is compared with. */
export interface Slot {
  /** In bytes. */
  readonly at: number;
  readonly parameter: number;
  readonly use: Use | undefined;
  readonly key: Key | undefined;
  readonly operator: string;
}

export interface Write {
  readonly kind: "insert" | "update" | "delete";
  readonly table: Table;
  readonly columns: ReadonlySet<string>;
}

export interface Shape {
  readonly uses: readonly Use[];
  readonly slots: readonly Slot[];
  readonly writes: readonly Write[];
}
