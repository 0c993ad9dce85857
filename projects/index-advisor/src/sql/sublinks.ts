/** Subqueries within expressions. */
import type { Node, SubLink } from "@pgsql/types";
import { mention } from "./mention.ts";
import { keyOf } from "./operands.ts";
import { compared } from "./predicates.ts";
import type { Origin, Scope } from "./scope.ts";
import { names } from "./tree.ts";

/** `x IN (SELECT y …)` joins x with y, and so does `x = ANY (…)`; all others are read only. */
export function subLink(link: SubLink, scope: Scope): void {
  const { testexpr, subselect, subLinkType } = link;
  if (testexpr !== undefined) mention(testexpr, scope);
  if (subselect === undefined || !("SelectStmt" in subselect)) return;
  const output = scope.analysis.select(subselect.SelectStmt, scope);
  const equal = (names(link.operName).at(-1) ?? "=") === "=";
  if (subLinkType !== "ANY_SUBLINK" || testexpr === undefined || !equal) return;
  const asked: readonly Node[] = "RowExpr" in testexpr ? (testexpr.RowExpr.args ?? []) : [testexpr];
  for (const [n, origin] of [...output.values()].entries()) {
    const node = asked[n];
    if (node !== undefined) semiJoin(node, origin, scope);
  }
}

function semiJoin(node: Node, inner: Origin | undefined, scope: Scope): void {
  const key = keyOf(node, scope);
  if (key !== undefined)
    compared(
      key,
      { comparison: "equal" },
      inner === undefined ? {} : { joins: { alias: inner.draft.alias, column: inner.column.name } },
    );
  if (inner === undefined || key?.column === undefined) return;
  const joins = { alias: key.draft.alias, column: key.column.name };
  compared(inner, { comparison: "equal" }, { joins });
}
