/** What a statement asks of each table, by PostgreSQL's own grammar. */
import { type Node, parse } from "libpg-query";
import { deparseSync } from "pgsql-deparser";
import type { Catalog, Column, Table } from "./catalog.ts";
import { quoted } from "./connection.ts";

export type How = "equal" | "in" | "range" | "like" | "null" | "operator" | "join" | "sort";

/** One key that a statement would like to find rows of one table by. */
export interface Use {
  readonly table: Table;
  /** As it stands in CREATE INDEX: a quoted column, or an expression in parentheses. */
  readonly key: string;
  readonly column: Column | undefined;
  readonly how: How;
  readonly operator: string;
  /** As SQL, where the other side is a constant of the text. */
  readonly constant?: string;
  /** ` DESC`, ` NULLS FIRST` … of a sort. */
  readonly direction?: string;
}

export interface Parameter {
  readonly number: number;
  /** What it is compared with, where that is a column. */
  readonly use?: Use;
}

export interface Understood {
  readonly kind: "select" | "insert" | "update" | "delete";
  readonly tables: readonly Table[];
  readonly written: Table | undefined;
  /** Columns that an UPDATE sets. */
  readonly sets: readonly string[];
  readonly uses: readonly Use[];
  readonly parameters: readonly Parameter[];
}

type Body = Record<string, unknown>;
type Found = readonly [tag: string, body: Body];

const KINDS = {
  SelectStmt: "select",
  InsertStmt: "insert",
  UpdateStmt: "update",
  DeleteStmt: "delete",
} as const;

const FLIPPED: Readonly<Record<string, string>> = { "<@": "@>", "@>": "<@" };

/** Says why a statement is none for an advisor. */
export class NotUnderstood extends Error {
  override readonly name = "NotUnderstood";
}

/** @throws NotUnderstood */
export async function understood(sql: string, catalog: Catalog): Promise<Understood> {
  const { stmts = [] } = await parse(sql).catch((error: Error) => {
    throw new NotUnderstood(error.message, { cause: error });
  });
  const [first] = stmts;
  if (stmts.length !== 1 || !first?.stmt) {
    throw new NotUnderstood(`one statement was expected, and these are ${stmts.length}`);
  }
  const [tag, body] = Object.entries(first.stmt)[0] as [string, Body];
  const kind = KINDS[tag as keyof typeof KINDS];
  if (!kind) throw new NotUnderstood("it neither reads nor writes rows");
  if (body.intoClause) throw new NotUnderstood("it makes a table");
  return new Reader(catalog, tag, body, kind).read();
}

class Reader {
  readonly #catalog: Catalog;
  readonly #found: readonly Found[];
  readonly #body: Body;
  readonly #kind: Understood["kind"];
  readonly #aliases = new Map<string, Table[]>();
  readonly #uses: Use[] = [];
  readonly #parameters: Parameter[] = [];

  constructor(catalog: Catalog, tag: string, body: Body, kind: Understood["kind"]) {
    this.#catalog = catalog;
    this.#body = body;
    this.#kind = kind;
    this.#found = [[tag, body] as const, ...nodesOf(body)];
  }

  read(): Understood {
    const withs = new Set(
      this.#found.filter(is("CommonTableExpr")).map(([, { ctename }]) => ctename),
    );
    const tables: Table[] = [];
    const read = this.#found.filter(is("RangeVar")).map(([, body]) => body);
    // A WITH may write, too: the relation that is written stands in a field, and not in a node.
    const written = this.#found.flatMap(([tag, { relation }]) =>
      tag in KINDS && relation ? [relation as Body] : [],
    );
    const target = this.#kind === "select" ? undefined : (this.#body.relation as Body);
    for (const relation of [...written, ...read]) {
      if (!relation.schemaname && withs.has(relation.relname)) continue;
      const table = this.#tableOf(relation);
      if (!table) {
        throw new NotUnderstood(`${relation.relname} is a view, a partitioned table, or not there`);
      }
      tables.push(table);
      const alias = ((relation.alias as Body | undefined)?.aliasname ?? table.name) as string;
      this.#aliases.set(alias, [...(this.#aliases.get(alias) ?? []), table]);
    }
    for (const [tag, body] of this.#found) {
      if (tag === "A_Expr") this.#expression(body);
      if (tag === "NullTest") this.#use(body.arg, "null", String(body.nulltesttype));
      if (tag === "SelectStmt") this.#sorts(body);
      if (tag === "SubLink" && body.testexpr) this.#use(body.testexpr, "join", "=");
      if (tag === "JoinExpr") {
        for (const column of (body.usingClause ?? []) as Node[]) {
          this.#use({ ColumnRef: { fields: [column] } }, "join", "=");
        }
      }
      if (tag === "FuncCall" && /"(max|min)"/.test(JSON.stringify(body.funcname))) {
        this.#use((body.args as Node[] | undefined)?.[0], "sort", "", undefined, "");
      }
    }
    this.#bare();
    return {
      kind: this.#kind,
      tables: [...new Set(tables)],
      written: target && this.#tableOf(target),
      sets: this.#kind === "update" ? names(this.#body.targetList) : [],
      uses: this.#uses,
      parameters: this.#parameters,
    };
  }

  #tableOf({ schemaname, relname }: Body): Table | undefined {
    return this.#catalog.tables.find(
      (table) =>
        table.name === relname && (schemaname ? table.schema === schemaname : table.visible),
    );
  }

  #expression(body: Body): void {
    const operator = (body.name as { String: { sval: string } }[]).at(-1)?.String.sval ?? "";
    const { kind, lexpr, rexpr } = body;
    const [left, right] = [itemsOf(lexpr), itemsOf(rexpr)];
    if (left.length > 1 && left.length === right.length) {
      for (const [at, each] of left.entries()) {
        this.#expression({ ...body, lexpr: each, rexpr: right[at] });
      }
      return;
    }
    const how = howOf(String(kind), operator);
    if (!how) return;
    this.#compared(lexpr, rexpr, how, operator);
    // `$1 = ANY (column)` is no search in an index, and neither are LIKE's patterns in columns.
    if (how === "like" || how === "in" || kind !== "AEXPR_OP") return;
    this.#compared(rexpr, lexpr, how, FLIPPED[operator] ?? operator);
  }

  #compared(side: unknown, other: unknown, how: How, operator: string): void {
    const otherColumns = columnsIn(other);
    const constant = otherColumns.length === 0 ? constantOf(other) : undefined;
    const uses = this.#use(
      side,
      otherColumns.length > 0 && how === "equal" ? "join" : how,
      operator,
      constant,
    );
    for (const [tag, { number }] of nodesOf(other)) {
      if (tag !== "ParamRef") continue;
      const [use] = uses;
      this.#parameters.push({ number: Number(number), ...(use ? { use } : {}) });
    }
  }

  #use(side: unknown, how: How, operator: string, constant?: string, direction?: string): Use[] {
    const columns = columnsIn(side);
    const [first] = columns;
    if (!first || nodesOf(side).some(([tag]) => tag === "SubLink" || tag === "ParamRef")) return [];
    const tables = this.#tablesOf(first).filter((table) =>
      columns.every((column) => this.#tablesOf(column).includes(table)),
    );
    const plain = Object.keys(side as Body)[0] === "ColumnRef";
    const uses = tables.map((table) => ({
      table,
      key: plain ? quoted(first.at(-1) ?? "") : `(${withoutAliases(side)})`,
      column: plain ? table.columns.get(first.at(-1) ?? "") : undefined,
      how,
      operator,
      ...(constant === undefined ? {} : { constant }),
      ...(direction === undefined ? {} : { direction }),
    }));
    this.#uses.push(...uses);
    return uses;
  }

  #tablesOf(column: readonly string[]): Table[] {
    const name = column.at(-1) ?? "";
    const alias = column.length > 1 ? column.at(-2) : undefined;
    const tables =
      alias === undefined ? [...this.#aliases.values()].flat() : this.#aliases.get(alias);
    return [...new Set(tables ?? [])].filter((table) => table.columns.has(name));
  }

  #sorts({ sortClause, groupClause }: Body): void {
    for (const item of (sortClause ?? []) as { SortBy: Body }[]) {
      const { node, sortby_dir, sortby_nulls } = item.SortBy;
      const [tag, body] = Object.entries(node as Body)[0] as [string, Body];
      const distance = tag === "A_Expr" && JSON.stringify(body.name).includes("<->");
      if (distance) {
        this.#use(body.lexpr, "operator", "<->");
        this.#use(body.rexpr, "operator", "<->");
        continue;
      }
      const nulls = { SORTBY_NULLS_FIRST: " NULLS FIRST", SORTBY_NULLS_LAST: " NULLS LAST" };
      const direction =
        (sortby_dir === "SORTBY_DESC" ? " DESC" : "") +
        (nulls[sortby_nulls as keyof typeof nulls] ?? "");
      this.#use(node, "sort", "", undefined, direction);
    }
    for (const node of (groupClause ?? []) as Node[]) this.#use(node, "sort", "", undefined, "");
  }

  /** `WHERE active`, `WHERE NOT active AND …`: a boolean that is compared with nothing. */
  #bare(): void {
    for (const [tag, body] of this.#found) {
      const parts = tag === "BoolExpr" ? (body.args as unknown[]) : [body.whereClause];
      for (const part of parts) {
        if (part && "ColumnRef" in (part as Body)) this.#use(part, "equal", "=", "true");
      }
    }
  }
}

function howOf(kind: string, operator: string): How | undefined {
  if (kind === "AEXPR_IN" || kind === "AEXPR_OP_ANY") return operator === "=" ? "in" : undefined;
  if (kind === "AEXPR_LIKE" || kind === "AEXPR_ILIKE") return "like";
  if (kind.startsWith("AEXPR_BETWEEN")) return "range";
  if (kind !== "AEXPR_OP") return undefined;
  if (operator === "=") return "equal";
  if (["<", "<=", ">", ">="].includes(operator)) return "range";
  if (["~", "~*"].includes(operator)) return "like";
  return ["@>", "<@", "&&", "?", "?|", "?&", "@@", "@?", "->>", "<->"].includes(operator) &&
    operator !== "->>"
    ? "operator"
    : undefined;
}

const is =
  (tag: string) =>
  ([found]: Found) =>
    found === tag;

/** All nodes below, outermost first. Those of the grammar begin with a capital, their fields do not. */
function nodesOf(tree: unknown): Found[] {
  if (Array.isArray(tree)) return tree.flatMap(nodesOf);
  if (typeof tree !== "object" || tree === null) return [];
  return Object.entries(tree).flatMap(([name, value]) =>
    /^[A-Z]/.test(name) ? [[name, value as Body] as const, ...nodesOf(value)] : nodesOf(value),
  );
}

/** Of a row of columns or values: `(a, b) = (1, 2)`. */
const itemsOf = (tree: unknown) =>
  (tree as { RowExpr?: { args?: unknown[] } } | undefined)?.RowExpr?.args ?? [];

function columnsIn(tree: unknown): (readonly string[])[] {
  return nodesOf(tree)
    .filter(is("ColumnRef"))
    .map(([, { fields }]) =>
      (fields as { String?: { sval: string } }[]).map((field) => field.String?.sval ?? "*"),
    )
    .filter((path) => path.at(-1) !== "*");
}

function constantOf(tree: unknown): string | undefined {
  const tags = nodesOf(tree).map(([tag]) => tag);
  if (
    !tags.includes("A_Const") ||
    tags.some((tag) => !["A_Const", "TypeCast", "String"].includes(tag))
  ) {
    return undefined;
  }
  return deparseSync(tree as Node);
}

function withoutAliases(tree: unknown): string {
  const copy = structuredClone(tree);
  for (const [tag, body] of nodesOf(copy)) {
    if (tag === "ColumnRef") body.fields = (body.fields as unknown[]).slice(-1);
  }
  return deparseSync(copy as Node);
}

const names = (targets: unknown): string[] =>
  ((targets ?? []) as { ResTarget?: { name?: string } }[]).flatMap(
    ({ ResTarget }) => ResTarget?.name ?? [],
  );
