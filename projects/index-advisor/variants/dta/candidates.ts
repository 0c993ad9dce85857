/**
 * Task 2: for each table of a statement, the indexes that could serve what is asked of it.
 *
 * None is partial, for a parameter may be any value. None carries columns: only where VACUUM has just been does
 * that save reading the table, and the copy doesn't say where the target's VACUUM has been.
 */
import type { Catalogue } from "./catalogue.ts";
import type { Asked, Condition, Order } from "./conditions.ts";
import {
  bodyOf,
  type Definition,
  isPrefixOf,
  ordered,
  type Part,
  partsOf,
  plain,
} from "./definitions.ts";

/** More columns than this in one index have never paid for their width. */
const WIDEST = 4;

export async function candidatesFor(asked: Asked, catalogue: Catalogue): Promise<Definition[]> {
  const found = new Map<string, Definition>();
  const add = (definition: Definition) => {
    if (definition.parts.length > 0 && definition.parts.length <= WIDEST) {
      found.set(bodyOf(definition), definition);
    }
  };
  for (const [alias, table] of asked.tables) {
    const orders = asked.orders.filter((order) => order.alias === alias);
    for (const group of asked.groups) {
      const conditions = group.filter((condition) => condition.alias === alias);
      const trees = [...btrees(conditions), ...served(conditions, orders)];
      for (const parts of trees) add({ table, method: "btree", parts });
      for (const definition of await others(table, conditions, catalogue)) add(definition);
    }
    for (const definition of await nearest(table, orders, catalogue)) add(definition);
  }
  return [...found.values()];
}

/** Equalities first, in each order that begins with another one, then one range. */
function btrees(conditions: readonly Condition[]): Part[][] {
  const equals = distinct(
    conditions.filter(({ test }) => test === "equal").map(({ key }) => plain(key)),
  );
  const ranges = distinct([
    ...conditions.filter(({ test }) => test === "range").map(({ key }) => plain(key)),
    ...conditions.filter(({ test, anyStart }) => test === "like" && !anyStart).flatMap(prefixes),
  ]);
  const trees: Part[][] = [...equals, ...ranges].map((part) => [part]);
  for (const first of equals) {
    const rest = equals.filter((part) => part !== first);
    for (const second of rest) trees.push([first, second]);
    trees.push([first, ...rest]);
    for (const range of ranges) trees.push([first, range], [first, ...rest, range]);
  }
  return trees.map((parts) => distinct(parts).slice(0, WIDEST));
}

/** Under a collation other than C, text is not in the order of its characters, which LIKE needs. */
function prefixes({ key }: Condition): Part[] {
  return [plain(key, " text_pattern_ops"), plain(key)];
}

/** What is wanted in order comes in order, behind what is equal throughout. */
function served(conditions: readonly Condition[], orders: readonly Order[]): Part[][] {
  const equals = distinct(
    conditions.filter(({ test, joins }) => test === "equal" && !joins).map(({ key }) => plain(key)),
  );
  return orders.flatMap(({ keys }) => {
    if (keys.some(({ distance }) => distance !== undefined)) return [];
    const fixed = new Set(equals.map(({ text }) => text));
    const parts = ordered(keys.filter(({ text }) => !fixed.has(text)));
    const trees = [parts, [...equals, ...parts]];
    for (const equal of equals) trees.push([equal, ...parts]);
    return trees.map((tree) => distinct(tree).slice(0, WIDEST));
  });
}

async function others(
  table: string,
  conditions: readonly Condition[],
  catalogue: Catalogue,
): Promise<Definition[]> {
  const definitions: Definition[] = [];
  for (const { key, test, operator, joins } of conditions) {
    if ((test !== "operator" && test !== "like") || joins) continue;
    for (const { method, name } of await catalogue.classesFor(table, key.text, operator)) {
      definitions.push({ table, method, parts: [plain(key, ` ${name}`)] });
    }
  }
  return definitions;
}

async function nearest(
  table: string,
  orders: readonly Order[],
  catalogue: Catalogue,
): Promise<Definition[]> {
  const definitions: Definition[] = [];
  for (const { keys } of orders) {
    const [key] = keys;
    if (key?.distance === undefined) continue;
    for (const { method, name } of await catalogue.classesFor(table, key.text, key.distance)) {
      definitions.push({ table, method, parts: [plain(key, ` ${name}`)] });
    }
  }
  return definitions;
}

function distinct(parts: readonly Part[]): Part[] {
  const seen = new Map<string, Part>();
  for (const part of parts) {
    const id = part.suffix.includes("_ops") ? part.text + part.suffix : part.text;
    if (!seen.has(id)) seen.set(id, part);
  }
  return [...seen.values()];
}

/**
 * One index in place of two, as DTA merges them: all of the first one's keys in their order, so that it still
 * seeks and sorts as that one did, then what the second has besides.
 */
export function merged(first: Definition, second: Definition): Definition | undefined {
  if (first.table !== second.table || first.method !== "btree" || second.method !== "btree")
    return undefined;
  const present = new Set(first.parts.map(({ text }) => text));
  const parts = [...first.parts, ...second.parts.filter(({ text }) => !present.has(text))];
  // Behind a key that a statement doesn't give, it seeks nothing.
  if (parts.length === first.parts.length + second.parts.length) return undefined;
  if (
    parts.length > WIDEST ||
    partsOf(parts) === partsOf(first.parts) ||
    isPrefixOf(first, second)
  ) {
    return undefined;
  }
  return { table: first.table, method: "btree", parts };
}
