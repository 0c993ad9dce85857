/** FROM: what there is to read, and how it is joined. */
import type { Alias, JoinExpr, Node, RangeVar, WithClause } from "@pgsql/types";
import { findTable } from "../catalog.ts";
import { condition } from "./conditions.ts";
import { mention } from "./mention.ts";
import { compared } from "./predicates.ts";
import { draftOf, type Output, outputOf, type Relation, type Scope, scopeOf } from "./scope.ts";
import { statement } from "./statements.ts";
import { names, statementsOf } from "./tree.ts";

function withAlias(output: Output, alias: Alias | undefined): Output {
  const given = names(alias?.colnames);
  if (given.length === 0) return output;
  return new Map([...output].map(([name, origin], n) => [given[n] ?? name, origin]));
}

/** A table, a view or a WITH's name. */
export function relationOf(range: RangeVar, scope: Scope): Relation {
  const { relname = "", schemaname, alias } = range;
  const name = alias?.aliasname ?? relname;
  const common = schemaname === undefined ? scope.withs.get(relname) : undefined;
  if (common !== undefined) return { name, output: withAlias(common, alias) };
  const table = findTable(scope.analysis.catalog, relname, schemaname);
  // Of the system's catalogue, perhaps; the server has accepted it.
  if (table === undefined) return { name, output: new Map() };
  if (table.definition !== undefined) {
    const select = statementsOf(table.definition)[0]?.node;
    if (select !== undefined && "SelectStmt" in select)
      return {
        name,
        output: withAlias(scope.analysis.select(select.SelectStmt, scopeOf(scope.analysis)), alias),
      };
  }
  const draft = draftOf(scope.analysis, table, name);
  return { name, output: withAlias(outputOf(draft), alias), draft };
}

export function from(node: Node, scope: Scope): void {
  if ("RangeVar" in node) scope.relations.push(relationOf(node.RangeVar, scope));
  else if ("RangeSubselect" in node) {
    const { subquery, alias } = node.RangeSubselect;
    if (subquery === undefined || !("SelectStmt" in subquery)) return;
    const output = withAlias(scope.analysis.select(subquery.SelectStmt, scope), alias);
    scope.relations.push({ name: alias?.aliasname ?? "", output });
  } else if ("JoinExpr" in node) join(node.JoinExpr, scope);
  else if ("RangeTableSample" in node) {
    const { relation } = node.RangeTableSample;
    if (relation !== undefined) from(relation, scope);
  } else {
    mention(node, scope);
    if ("RangeFunction" in node)
      scope.relations.push({
        name: node.RangeFunction.alias?.aliasname ?? "",
        output: new Map(
          names(node.RangeFunction.alias?.colnames).map((column) => [column, undefined]),
        ),
      });
  }
}

function join(expression: JoinExpr, scope: Scope): void {
  const { larg, rarg, quals, usingClause, isNatural } = expression;
  const before = scope.relations.length;
  if (larg !== undefined) from(larg, scope);
  const middle = scope.relations.length;
  if (rarg !== undefined) from(rarg, scope);
  const left = scope.relations.slice(before, middle);
  const right = scope.relations.slice(middle);
  for (const column of isNatural ? shared(left, right) : names(usingClause))
    joinOn(column, left, right);
  if (quals !== undefined) condition(quals, scope);
}

function shared(left: readonly Relation[], right: readonly Relation[]): readonly string[] {
  const there = new Set(right.flatMap(({ output }) => [...output.keys()]));
  return left.flatMap(({ output }) => [...output.keys()]).filter((name) => there.has(name));
}

/** Both sides of `USING (column)`. */
function joinOn(column: string, left: readonly Relation[], right: readonly Relation[]): void {
  const [a, b] = [left, right].map((side) => {
    const relation = side.find(({ output }) => output.has(column));
    return relation?.output.get(column);
  });
  if (a === undefined || b === undefined) return;
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    one.draft.reads.add(one.column.name);
    const joins = { alias: other.draft.alias, column: other.column.name };
    compared(one, { comparison: "equal" }, { joins });
  }
}

/** WITH's names, for all that stands behind it. */
export function common(clause: WithClause | undefined, scope: Scope): void {
  for (const node of clause?.ctes ?? []) {
    if (!("CommonTableExpr" in node)) continue;
    const { ctename = "", ctequery, aliascolnames } = node.CommonTableExpr;
    if (ctequery === undefined) continue;
    // A recursive one knows its own name, but not yet what it gives.
    if (clause?.recursive) scope.withs.set(ctename, new Map());
    const output = statement(ctequery, scope);
    const given = names(aliascolnames);
    scope.withs.set(
      ctename,
      new Map([...output].map(([name, origin], n) => [given[n] ?? name, origin])),
    );
  }
}
