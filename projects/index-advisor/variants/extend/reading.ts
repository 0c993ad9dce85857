/** What a write reads: the rows that it finds, without doing anything to them. */
import type { Node, SelectStmt, WithClause } from "@pgsql/types";
import { parseSync } from "libpg-query";
import { deparseSync } from "pgsql-deparser";

/** As a SELECT; none of what reads nothing, such as `INSERT … VALUES`. */
export function readingOf(sql: string): string | undefined {
  const node = parseSync(sql).stmts?.[0]?.stmt;
  const select = node && selectOf(node);
  return select && deparseSync({ SelectStmt: select });
}

function selectOf(node: Node): SelectStmt | undefined {
  if ("InsertStmt" in node) {
    const { selectStmt, withClause } = node.InsertStmt;
    if (!selectStmt || !("SelectStmt" in selectStmt) || selectStmt.SelectStmt.valuesLists) return;
    return { ...selectStmt.SelectStmt, ...having(withClause) };
  }
  if ("UpdateStmt" in node) {
    const { relation, fromClause = [], whereClause, withClause } = node.UpdateStmt;
    return relation && found([{ RangeVar: relation }, ...fromClause], whereClause, withClause);
  }
  if ("DeleteStmt" in node) {
    const { relation, usingClause = [], whereClause, withClause } = node.DeleteStmt;
    return relation && found([{ RangeVar: relation }, ...usingClause], whereClause, withClause);
  }
  return undefined;
}

const having = (withClause: WithClause | undefined): Pick<SelectStmt, "withClause"> =>
  withClause ? { withClause } : {};

function found(
  fromClause: Node[],
  whereClause: Node | undefined,
  withClause: WithClause | undefined,
): SelectStmt {
  return {
    targetList: [{ ResTarget: { val: { A_Const: { ival: { ival: 1 } } } } }],
    fromClause,
    ...(whereClause ? { whereClause } : {}),
    ...having(withClause),
    limitOption: "LIMIT_OPTION_DEFAULT",
    op: "SETOP_NONE",
  };
}
