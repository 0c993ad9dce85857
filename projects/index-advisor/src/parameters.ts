/** Constants for the parameters of a normalised statement. */
import type pg from "pg";
import type { Catalog } from "./catalog.ts";

/** Live: asks the copy for the types of parameters and, where there are no statistics, for values. */
export interface Parameters {
  /**
   * @param sql with `$1` …; one without any comes back as it is, with the share 1
   * @throws {Error} where the server can't prepare it: its message is for people
   */
  instances(sql: string): Promise<readonly { readonly sql: string; readonly share: number }[]>;
}

/** @param scratch a connection to the copy, which nobody else uses meanwhile; it is not closed */
export function parametersOf(_scratch: pg.Client, _catalog: Catalog): Parameters {
  throw new Error("not yet");
}
