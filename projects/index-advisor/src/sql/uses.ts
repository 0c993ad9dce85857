/** What a statement's parameters stand for. */
import type { Table } from "../catalog.ts";
import type { Comparison } from "../model.ts";

/** A place of a parameter in a statement; one parameter may have several. */
export interface ParameterUse {
  /** 1 for `$1`. */
  readonly number: number;
  readonly role: /** With a column or an expression of `table`. */
    | "compared"
    /** Stored in a column by INSERT. */
    | "inserted"
    /** Stored in a column by UPDATE. */
    | "set"
    | "limit"
    | "offset"
    /** `EXTRACT($1 FROM …)`, `date_trunc($1, …)`. */
    | "field"
    /** Of a jsonb's object: `data ->> $1`. */
    | "key"
    | "other";
  readonly table?: Table;
  readonly column?: string;
  /** As SQL over the table's columns, in the place of `column`. */
  readonly expression?: string;
  readonly comparison?: Comparison;
  readonly operator?: string;
  /** Of a range: it is where the range begins (`>`), or ends (`<`). */
  readonly bound?: "lower" | "upper";
  /** The table's alias: values of one row are taken together. */
  readonly alias?: string;
  /** Which row of VALUES. */
  readonly row?: number;
}
