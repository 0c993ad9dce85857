/** What a `CREATE INDEX` asks for, by PostgreSQL's own grammar. */
import { parse } from "libpg-query";
import { ident } from "./databases.ts";

export interface Build {
  readonly name: string;
  /** With its schema where the statement says one, quoted. */
  readonly table: string;
}

/** @throws Error, for people, when it is not one concurrent build of one named index */
export async function buildOf(sql: string): Promise<Build> {
  const { stmts } = await parse(sql);
  const stmt = stmts?.[0]?.stmt;
  if (stmts?.length !== 1 || stmt === undefined || !("IndexStmt" in stmt)) {
    throw new Error("it is not one CREATE INDEX");
  }
  const { idxname, relation, concurrent } = stmt.IndexStmt;
  if (concurrent !== true) {
    throw new Error("without CONCURRENTLY nobody could write while it is built");
  }
  if (!idxname || !relation?.relname) throw new Error("it names no index, or no table");
  const table = ident(relation.relname);
  return {
    name: idxname,
    table: relation.schemaname ? `${ident(relation.schemaname)}.${table}` : table,
  };
}
