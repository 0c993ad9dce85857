/** Task 2: a statement's tree, read clause by clause, with the names of each level in their scope. */
import type {
  DeleteStmt,
  InsertStmt,
  Node,
  SelectStmt,
  SubLink,
  UpdateStmt,
  WithClause,
} from "@pgsql/types";
import { parseSync } from "libpg-query";
import { type Catalogue, type Table, tableNamed } from "./catalogue.ts";
import { readCondition, readOrder, type Sink, slot, subqueriesIn } from "./conditions.ts";
import { type Columns, fieldsOf, type Origin, Scope } from "./scopes.ts";
import type { Condition, Key, Shape, Slot, Use, Write } from "./shape.ts";
import { quoted } from "./sql.ts";
import { aliased, direction, output } from "./targets.ts";

export class Reader implements Shape {
  readonly uses: Use[] = [];
  readonly slots: Slot[] = [];
  readonly writes: Write[] = [];
  readonly #catalogue: Catalogue;
  readonly #sink: Sink;
  #depth = 0;

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue;
    this.#sink = { slots: this.slots, subquery: (link, scope) => this.#subquery(link, scope) };
  }

  statement(node: Node | undefined, parent?: Scope): Columns {
    if (!node) return new Map();
    if ("SelectStmt" in node) return this.#select(node.SelectStmt, parent);
    if ("UpdateStmt" in node) return this.#update(node.UpdateStmt, parent);
    if ("DeleteStmt" in node) return this.#delete(node.DeleteStmt, parent);
    if ("InsertStmt" in node) return this.#insert(node.InsertStmt, parent);
    return new Map();
  }

  #select(select: SelectStmt, parent?: Scope): Columns {
    const scope = new Scope(parent);
    this.#ctes(select.withClause, scope);
    if (select.larg || select.rarg) {
      const arms = [select.larg, select.rarg].filter((arm) => arm !== undefined);
      const names = arms.map((arm) => [...this.#select(arm, scope).keys()]);
      return new Map((names[0] ?? []).map((name) => [name, undefined]));
    }
    for (const item of select.fromClause ?? []) this.#from(item, scope);
    this.#where(select.whereClause, scope);
    const targets = (select.targetList ?? []).flatMap((target) =>
      "ResTarget" in target ? [target.ResTarget] : [],
    );
    subqueriesIn([select.targetList, select.havingClause, select.valuesLists], scope, this.#sink);
    this.#bare(select.limitCount, "LIMIT");
    this.#bare(select.limitOffset, "OFFSET");
    if (select.limitCount) {
      const sorts = (select.sortClause ?? []).flatMap((sort) =>
        "SortBy" in sort ? [direction(sort.SortBy)] : [],
      );
      readOrder(
        sorts.map((sort) => ({ ...sort, node: aliased(sort.node, targets) })),
        scope,
      );
    }
    this.#extremes(targets, select, scope);
    return new Map(targets.flatMap(({ name, val }) => output(name, val, scope)));
  }

  /** `min(a)` is the first row by `a`. */
  #extremes(targets: readonly { val?: Node }[], { groupClause }: SelectStmt, scope: Scope): void {
    if (groupClause) return;
    for (const { val } of targets) {
      if (!val || !("FuncCall" in val)) continue;
      const name = fieldsOf(val.FuncCall.funcname).at(-1);
      if (name !== "min" && name !== "max") continue;
      const descending = name === "max";
      readOrder([{ node: val.FuncCall.args?.[0], descending, nullsFirst: descending }], scope);
    }
  }

  #update(update: UpdateStmt, parent?: Scope): Columns {
    const scope = new Scope(parent);
    this.#ctes(update.withClause, scope);
    const table = update.relation && this.#table({ RangeVar: update.relation }, scope);
    for (const item of update.fromClause ?? []) this.#from(item, scope);
    const columns = new Set<string>();
    for (const target of update.targetList ?? []) {
      if (!("ResTarget" in target) || !target.ResTarget.name) continue;
      columns.add(target.ResTarget.name);
      this.#assigned(target.ResTarget.val, target.ResTarget.name, table, scope);
    }
    subqueriesIn(update.targetList, scope, this.#sink);
    this.#where(update.whereClause, scope);
    if (table) this.writes.push({ kind: "update", table, columns });
    return new Map();
  }

  #delete(deletion: DeleteStmt, parent?: Scope): Columns {
    const scope = new Scope(parent);
    this.#ctes(deletion.withClause, scope);
    const table = deletion.relation && this.#table({ RangeVar: deletion.relation }, scope);
    for (const item of deletion.usingClause ?? []) this.#from(item, scope);
    this.#where(deletion.whereClause, scope);
    if (table) this.writes.push({ kind: "delete", table, columns: new Set() });
    return new Map();
  }

  #insert(insert: InsertStmt, parent?: Scope): Columns {
    const scope = new Scope(parent);
    this.#ctes(insert.withClause, scope);
    const { schemaname, relname } = insert.relation ?? {};
    const table = tableNamed(this.#catalogue, schemaname, relname);
    if (!table) return new Map();
    refuseParts(table);
    const names = (insert.cols ?? []).flatMap((column) =>
      "ResTarget" in column ? [column.ResTarget.name] : [],
    );
    const order = names.length > 0 ? names : table.columns.map(({ name }) => name);
    const into = new Scope();
    this.#use(table, relname ?? "", into);
    const source = insert.selectStmt;
    if (source && "SelectStmt" in source) {
      for (const row of source.SelectStmt.valuesLists ?? []) {
        const values = "List" in row ? (row.List.items ?? []) : [];
        for (const [at, value] of values.entries()) this.#assigned(value, order[at], table, into);
      }
      this.#select(source.SelectStmt, scope);
    }
    this.writes.push({ kind: "insert", table, columns: new Set() });
    return new Map();
  }

  #assigned(
    value: Node | undefined,
    column: string | undefined,
    table: Table | undefined,
    scope: Scope,
  ) {
    const use = this.uses.find((candidate) => candidate.table === table);
    if (!use || column === undefined || !value || !scope) return;
    const key: Key = { sql: quoted(column), columns: [column], column };
    const inner = "TypeCast" in value ? value.TypeCast.arg : value;
    if (inner && "ParamRef" in inner) slot(value, { use, key }, "SET", this.#sink);
  }

  #bare(value: Node | undefined, operator: string): void {
    slot(value, undefined, operator, this.#sink);
  }

  #where(node: Node | undefined, scope: Scope): void {
    for (const condition of readCondition(node, scope, this.#sink)) {
      condition.use.conditions.push(condition);
    }
  }

  #ctes(clause: WithClause | undefined, scope: Scope): void {
    for (const item of clause?.ctes ?? []) {
      if (!("CommonTableExpr" in item)) continue;
      const { ctename = "", ctequery } = item.CommonTableExpr;
      // A recursive one mentions itself: its name is there, and what its columns are is not.
      if (clause?.recursive) scope.addCte(ctename, new Map());
      scope.addCte(ctename, this.statement(ctequery, scope));
    }
  }

  #from(item: Node, scope: Scope): void {
    if ("RangeVar" in item) this.#table(item, scope);
    else if ("RangeSubselect" in item) {
      const columns = this.statement(item.RangeSubselect.subquery, scope);
      scope.add(item.RangeSubselect.alias?.aliasname ?? "", columns);
    } else if ("JoinExpr" in item) {
      const { larg, rarg, quals, usingClause } = item.JoinExpr;
      if (larg) this.#from(larg, scope);
      if (rarg) this.#from(rarg, scope);
      this.#where(quals, scope);
      for (const name of fieldsOf(usingClause)) this.#shared(name, scope);
    }
  }

  #shared(name: string, scope: Scope): void {
    for (const [column, origin] of scope.star(undefined)) {
      if (column === name && origin) origin.use.conditions.push(equality(origin));
    }
  }

  #table({ RangeVar }: Extract<Node, { RangeVar: unknown }>, scope: Scope): Table | undefined {
    const { schemaname, relname = "", alias } = RangeVar;
    const name = alias?.aliasname ?? relname;
    const cte = schemaname === undefined ? scope.cte(relname) : undefined;
    if (cte) {
      scope.add(name, cte);
      return undefined;
    }
    const table = tableNamed(this.#catalogue, schemaname, relname);
    if (!table) return undefined;
    refuseParts(table);
    if (table.view === null) this.#use(table, name, scope);
    else if (this.#depth < 8) {
      this.#depth++;
      // Values that stand in the view's text have no place in the statement's.
      const own = this.slots.length;
      scope.add(name, this.statement(parseSync(table.view).stmts?.[0]?.stmt));
      this.slots.length = own;
      this.#depth--;
    }
    return table;
  }

  #use(table: Table, name: string, scope: Scope): void {
    const use: Use = { table, conditions: [], orders: [], alternatives: [] };
    this.uses.push(use);
    scope.add(name, new Map(table.columns.map(({ name: column }) => [column, { use, column }])));
  }

  #subquery(link: SubLink, scope: Scope): void {
    const columns = this.statement(link.subselect, scope);
    if (link.subLinkType !== "ANY_SUBLINK") return;
    // `a IN (SELECT b …)` looks for each a among the b, or the other way round.
    for (const origin of columns.values()) origin?.use.conditions.push(equality(origin));
  }
}

function refuseParts({ schema, name, partitioned }: Table): void {
  if (partitioned) {
    throw new Error(
      `${schema}.${name} is partitioned, and no index is built concurrently on that.`,
    );
  }
}

function equality({ use, column }: Origin): Condition {
  const key: Key = { sql: quoted(column), columns: [column], column };
  return { use, key, kind: "equal", operator: "=", anchored: false };
}
