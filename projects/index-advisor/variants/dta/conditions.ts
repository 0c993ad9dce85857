/**
 * Task 2, second half: what a plan asks of each table. The planner has resolved names, expanded views, made
 * casts explicit and pushed conditions to where they belong; its plan without any index says all of it.
 */

import { ident } from "./databases.ts";
import { nodesOf, type PlanNode } from "./plans.ts";
import { Reader } from "./reader.ts";
import { asList } from "./trees.ts";

/** A column, or an expression of one table's columns, as an index would have it. */
export interface Key {
  /** As in `CREATE INDEX`, an expression in parentheses. */
  readonly text: string;
  readonly columns: readonly string[];
}

export interface Condition {
  readonly table: string;
  readonly alias: string;
  readonly key: Key;
  readonly test: "equal" | "range" | "like" | "operator";
  readonly operator: string;
  /** Compared with another table, not with something known beforehand. */
  readonly joins: boolean;
  /** Parameters on the other side, and whether there is a constant that begins with a wild card. */
  readonly parameters: readonly number[];
  readonly anyStart: boolean;
}

export interface OrderKey extends Key {
  readonly descending: boolean;
  readonly nullsFirst: boolean;
  /** `<->`, where the order is by distance from something. */
  readonly distance: string | undefined;
}

export interface Order {
  readonly table: string;
  readonly alias: string;
  readonly keys: readonly OrderKey[];
}

export interface Asked {
  /** `"schema"."table"` of each alias. */
  readonly tables: ReadonlyMap<string, string>;
  /** Those of one list hold together; each side of an OR has a list of its own. */
  readonly groups: readonly (readonly Condition[])[];
  readonly orders: readonly Order[];
}

/** Whether a column is of a type that PostgreSQL reads as `text` without converting it. */
export type IsText = (table: string, column: string) => boolean;

const CONDITIONS = [
  "Filter",
  "Index Cond",
  "Recheck Cond",
  "Hash Cond",
  "Merge Cond",
  "Join Filter",
];
const ORDERS = ["Sort Key", "Group Key"];

/** `"schema"."table"` of each alias. */
export function tablesOf(plan: PlanNode): Map<string, string> {
  const tables = new Map<string, string>();
  for (const node of nodesOf(plan)) {
    const { Alias: alias, Schema: schema, "Relation Name": relation } = node;
    if (alias && schema && relation) tables.set(alias, `${ident(schema)}.${ident(relation)}`);
  }
  return tables;
}

export async function askedOf(plan: PlanNode, isText: IsText): Promise<Asked> {
  const nodes = nodesOf(plan);
  const tables = tablesOf(plan);
  const reader = new Reader(tables, isText);
  for (const node of nodes) {
    for (const field of CONDITIONS) {
      const text = node[field];
      if (typeof text === "string") await reader.condition(text);
    }
    for (const field of ORDERS) {
      const keys = asList(node[field]).filter((key) => typeof key === "string");
      if (keys.length > 0) await reader.order(keys.join(", "));
    }
    if (node["Node Type"] === "Aggregate" && node["Group Key"] === undefined) {
      for (const output of node.Output ?? []) await reader.extreme(output);
    }
  }
  return { tables, groups: reader.groups, orders: reader.orders };
}
