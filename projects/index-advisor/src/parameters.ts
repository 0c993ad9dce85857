/** Constants for the parameters of a normalised statement. */
import type { Node } from "@pgsql/types";
import type pg from "pg";
import type { Catalog } from "./catalog.ts";
import { Reader } from "./parameters/choices.ts";
import { instancesOf } from "./parameters/instances.ts";
import type { ParameterUse } from "./sql/uses.ts";

export interface Normalised {
  readonly sql: string;
  readonly node: Node;
  /** Where `sql` begins in what was parsed, in bytes. */
  readonly from: number;
  readonly uses: readonly ParameterUse[];
}

/** A runnable text, and the share of the statement's calls that it stands for. */
export interface Instance {
  readonly sql: string;
  /** 0 … 1; those of one statement add up to 1. */
  readonly share: number;
}

/** Live: asks the copy for the types of parameters and, where there are no statistics, for values. */
export interface Parameters {
  /** The copy. */
  readonly client: pg.Client;
  /**
   * One text where all values are alike for the planner, else a typical and a rare one. Values come from
   * rows that there are; an INSERT gets new ones where they have to be unique. The same each time.
   *
   * @throws pg's errors where the server can't plan it
   */
  instances(statement: Normalised): Promise<readonly Instance[]>;
}

/** @param scratch a connection to the copy, which nobody else uses meanwhile, outside of a transaction; it is not closed */
export function parametersOf(scratch: pg.Client, catalog: Catalog): Parameters {
  const reader = new Reader(scratch);
  return {
    client: scratch,
    instances: (statement) => instancesOf(statement, scratch, catalog, reader),
  };
}
