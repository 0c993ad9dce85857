import type pg from "pg";
import type { Statement } from "../contract.ts";

export interface Size {
  /** How much of everything: the rows of a big table grow with it, those of a list of countries don't. */
  readonly scale: number;
  /** The same scale and seed make the same rows and the same statements, on any server. */
  readonly seed: number;
}

/** A database and what is asked of it. */
export interface Workload {
  /** Its folder's. */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** A scale that loads in about a second. */
  readonly smallScale: number;
  /**
   * Makes tables, rows and statistics. The database has to be empty; what is made belongs to the
   * connection's role, who need not be a superuser.
   */
  load(client: pg.Client, size: Size): Promise<void>;
  /** With parameters that fit the rows. */
  statements(size: Size): readonly Statement[];
}
