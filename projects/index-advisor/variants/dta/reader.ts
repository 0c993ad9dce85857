/** Reads a plan's conditions and orders back, as the SQL that they nearly are. */
import type { Node } from "@pgsql/types";
import { parse } from "libpg-query";
import { deparse } from "pgsql-deparser";
import type { Condition, IsText, Key, Order, OrderKey } from "./conditions.ts";
import { ident } from "./databases.ts";
import { asList, fieldsOf, namesOf, nodeOf, parametersIn, type Tree, walk } from "./trees.ts";

const MIRRORED: Readonly<Record<string, string>> = {
  "=": "=",
  "<": ">",
  ">": "<",
  "<=": ">=",
  ">=": "<=",
  "&&": "&&",
  "@>": "<@",
  "<@": "@>",
};

export class Reader {
  readonly groups: Condition[][] = [[]];
  readonly orders: Order[] = [];
  readonly #tables: ReadonlyMap<string, string>;
  readonly #isText: IsText;

  constructor(tables: ReadonlyMap<string, string>, isText: IsText) {
    this.#tables = tables;
    this.#isText = isText;
  }

  async condition(text: string): Promise<void> {
    const tree = await expression(text);
    if (tree !== undefined) await this.#read(tree, this.groups[0] ?? []);
  }

  async order(text: string): Promise<void> {
    const select = await selectOf(`SELECT 1 ORDER BY ${withoutSubplans(text)}`);
    const keys: OrderKey[] = [];
    let alias: string | undefined;
    for (const item of asList(select?.sortClause)) {
      const sort = nodeOf(item, "SortBy") ?? {};
      const descending = sort.sortby_dir === "SORTBY_DESC";
      const nulls = sort.sortby_nulls;
      const nullsFirst =
        nulls === "SORTBY_NULLS_DEFAULT" ? descending : nulls === "SORTBY_NULLS_FIRST";
      const distance = nodeOf(sort.node, "A_Expr");
      const operator = distance ? namesOf(distance.name).at(-1) : undefined;
      const nearest = operator?.startsWith("<") && operator.endsWith(">") && operator.length > 2;
      const side = nearest ? distance?.lexpr : sort.node;
      const owner = this.#owner(side);
      if (owner === undefined || (alias !== undefined && owner !== alias)) break;
      alias = owner;
      const key = await this.#keyOf(side);
      keys.push({ ...key, descending, nullsFirst, distance: nearest ? operator : undefined });
    }
    const table = alias === undefined ? undefined : this.#tables.get(alias);
    if (alias !== undefined && table !== undefined) this.orders.push({ table, alias, keys });
  }

  /** `min(x)` is the first of an order by x, `max(x)` the last. */
  async extreme(text: string): Promise<void> {
    const call = nodeOf(await expression(text), "FuncCall");
    const name = namesOf(call?.funcname).at(-1);
    const [argument] = asList(call?.args);
    const alias = this.#owner(argument);
    const table = alias === undefined ? undefined : this.#tables.get(alias);
    if ((name !== "min" && name !== "max") || alias === undefined || table === undefined) return;
    const key = await this.#keyOf(argument);
    this.orders.push({
      table,
      alias,
      keys: [{ ...key, descending: false, nullsFirst: false, distance: undefined }],
    });
  }

  async #read(tree: unknown, group: Condition[]): Promise<void> {
    const bool = nodeOf(tree, "BoolExpr");
    if (bool !== undefined) {
      const parts = asList(bool.args);
      if (bool.boolop === "AND_EXPR") for (const part of parts) await this.#read(part, group);
      if (bool.boolop === "NOT_EXPR" && nodeOf(parts[0], "ColumnRef"))
        await this.#read(parts[0], group);
      if (bool.boolop !== "OR_EXPR") return;
      for (const part of parts) {
        const arm: Condition[] = [];
        this.groups.push(arm);
        await this.#read(part, arm);
      }
      return;
    }
    const compared = nodeOf(tree, "A_Expr");
    if (compared !== undefined) {
      const { lexpr, rexpr } = compared;
      const operator = namesOf(compared.name).at(-1) ?? "";
      const row = asList(nodeOf(lexpr, "RowExpr")?.args)[0];
      await this.#compare(row ?? lexpr, operator, rexpr, group);
      if (compared.kind === "AEXPR_OP")
        await this.#compare(rexpr, MIRRORED[operator], lexpr, group);
      return;
    }
    const isNull = nodeOf(tree, "NullTest");
    if (isNull?.nulltesttype === "IS_NULL") await this.#compare(isNull.arg, "=", undefined, group);
    if (nodeOf(tree, "ColumnRef")) await this.#compare(tree, "=", undefined, group);
  }

  async #compare(side: unknown, operator: string | undefined, other: unknown, group: Condition[]) {
    const alias = this.#owner(side);
    const table = alias === undefined ? undefined : this.#tables.get(alias);
    if (alias === undefined || table === undefined || operator === undefined || operator === "<>")
      return;
    const others = aliasesIn(other);
    if (others.has(alias)) return;
    group.push({
      table,
      alias,
      key: await this.#keyOf(side),
      test: testOf(operator),
      operator,
      joins: others.size > 0,
      parameters: parametersIn(other),
      anyStart: /"sval":"[%_]/.test(JSON.stringify(other ?? null)),
    });
  }

  async #keyOf(tree: unknown): Promise<Key> {
    const columns = new Set<string>();
    const bare = withoutAlias(this.#uncast(tree), columns);
    const text = (await deparse(bare as Node)).trim();
    const plain = nodeOf(bare, "ColumnRef") !== undefined;
    return { text: plain ? ident([...columns][0] ?? "") : `(${text})`, columns: [...columns] };
  }

  /** `varchar` is shown as cast to `text`, which changes nothing, and is no part of what an index needs. */
  #uncast(tree: unknown): unknown {
    const cast = nodeOf(tree, "TypeCast");
    const column = nodeOf(cast?.arg, "ColumnRef");
    const table = this.#tables.get(this.#owner(tree) ?? "");
    const type = namesOf(fieldsOf(cast?.typeName).names).at(-1);
    if (column === undefined || table === undefined || type !== "text") return tree;
    return this.#isText(table, namesOf(column.fields).at(-1) ?? "") ? cast?.arg : tree;
  }

  /** The one table whose columns an expression is made of. */
  #owner(tree: unknown): string | undefined {
    const [found, ...more] = aliasesIn(tree);
    const [only] = this.#tables.keys();
    // What a plan puts out, of one table alone, has no alias before its columns.
    const alias = found === "" && this.#tables.size === 1 ? only : found;
    return alias !== undefined && more.length === 0 && this.#tables.has(alias) ? alias : undefined;
  }
}

function testOf(operator: string): Condition["test"] {
  if (operator === "=") return "equal";
  if (["<", "<=", ">", ">="].includes(operator)) return "range";
  return operator === "~~" || operator === "^@" ? "like" : "operator";
}

function aliasesIn(tree: unknown): Set<string> {
  const aliases = new Set<string>();
  walk(tree, (type, fields) => {
    if (type === "ColumnRef") aliases.add(namesOf(fields.fields).at(-2) ?? "");
  });
  return aliases;
}

function withoutAlias(tree: unknown, columns: Set<string>): unknown {
  if (Array.isArray(tree)) return tree.map((item) => withoutAlias(item, columns));
  const column = nodeOf(tree, "ColumnRef");
  if (column !== undefined) {
    const name = namesOf(column.fields).at(-1) ?? "";
    columns.add(name);
    return { ColumnRef: { fields: [{ String: { sval: name } }] } };
  }
  if (typeof tree !== "object" || tree === null) return tree;
  return Object.fromEntries(
    Object.entries(tree).map(([field, value]) => [field, withoutAlias(value, columns)]),
  );
}

async function expression(text: string): Promise<unknown> {
  const select = await selectOf(`SELECT ${withoutSubplans(text)}`);
  const target = nodeOf(asList(select?.targetList)[0], "ResTarget");
  return target?.val;
}

/** `(SubPlan 1)` and its like stand for a value, and are no SQL. */
function withoutSubplans(text: string): string {
  return text.replace(
    /\((?:alternatives: )?(?:hashed )?(?:SubPlan|InitPlan) \d+[^()]*\)(?:\.col\d+)?/g,
    "NULL",
  );
}

async function selectOf(sql: string): Promise<Tree | undefined> {
  try {
    const { stmts } = await parse(sql);
    return nodeOf(stmts?.[0]?.stmt, "SelectStmt");
  } catch {
    // The planner shows more than its grammar reads. What can't be read back leads to no candidate.
    return undefined;
  }
}
