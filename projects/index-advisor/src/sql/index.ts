/** Statements, as the advisor understands them. */
import type { Skipped, Statement } from "../../contract.ts";
import type { Catalog } from "../catalog.ts";
import type { Query } from "../model.ts";
import type { Parameters } from "../parameters.ts";

export interface Understood {
  /** In the order of the request. */
  readonly queries: readonly Query[];
  readonly skipped: readonly Skipped[];
}

/** A statement that can't be used is skipped, with the reason; the rest goes on. @throws pg's errors where a connection breaks */
export function understand(
  _statements: readonly Statement[],
  _catalog: Catalog,
  _parameters: Parameters,
): Promise<Understood> {
  throw new Error("not yet");
}
