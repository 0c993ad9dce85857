/** Task 2: what the statements of a workload ask of each table, and which indexes could serve that. */
import { parse } from "libpg-query";
import type { Skipped, Statement } from "../contract.ts";
import { NotImplemented } from "./errors.ts";

/** A statement that can be taken into account. Add what you need to know of it. */
export interface Query {
  /** Position in the request. */
  readonly statement: number;
  readonly calls: number;
  /** Without `$1`: which values would you try, and where do you get them from? */
  readonly sql: string;
}

/** An index that could be made. Add what you need to know of it. */
export interface Candidate {
  readonly name: string;
  /** `CREATE INDEX CONCURRENTLY …`, as it would be recommended. */
  readonly sql: string;
}

/** PostgreSQL's own grammar tells what is no statement; it doesn't know which tables there are. */
export async function understood(
  statements: readonly Statement[],
): Promise<{ queries: readonly Query[]; skipped: readonly Skipped[] }> {
  const skipped: Skipped[] = [];
  for (const [statement, { sql }] of statements.entries()) {
    try {
      await parse(sql);
    } catch (error) {
      skipped.push({ statement, why: error instanceof Error ? error.message : String(error) });
    }
  }
  throw new NotImplemented("task 2: predicates, joins and orders of the others, table by table");
}

/** Which columns, in which order, of which kind of index, with which operator class? */
export function candidatesFor(_queries: readonly Query[]): readonly Candidate[] {
  throw new NotImplemented("task 2: candidates");
}
