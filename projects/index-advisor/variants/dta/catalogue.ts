/** What the copy's catalogue says of the tables of the workload. */
import type { Copy } from "./copy.ts";
import { literal } from "./databases.ts";

export interface Column {
  readonly name: string;
  /** As in `CAST`. */
  readonly type: string;
  /** The plain name of the type: `varchar`, `int4`. */
  readonly kind: string;
  /** One of the columns of a unique index, and nobody else's key. */
  readonly unique: boolean;
}

export interface ForeignKey {
  readonly child: string;
  readonly childColumns: readonly string[];
  readonly parentColumns: readonly string[];
  /** What happens to the child's rows. */
  readonly cascades: boolean;
}

export interface OperatorClass {
  readonly method: string;
  /** With its schema. */
  readonly name: string;
}

/** Of how many rows, about, values are drawn. */
const SAMPLED_ROWS = 100_000;

export class Catalogue {
  readonly #copy: Copy;
  readonly #columns = new Map<string, readonly Column[]>();
  readonly #sampled = new Map<string, string>();
  readonly #classes = new Map<string, readonly OperatorClass[]>();

  constructor(copy: Copy) {
    this.#copy = copy;
  }

  /** Of a table whose columns were asked for before. */
  isText(table: string, column: string): boolean {
    return (
      this.#columns.get(table)?.some(({ name, kind }) => name === column && kind === "varchar") ??
      false
    );
  }

  async columns(table: string): Promise<readonly Column[]> {
    const known = this.#columns.get(table);
    if (known !== undefined) return known;
    const rows = await this.#copy.ask(
      `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, t.typname AS kind,
              EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND a.attnum = ANY (i.indkey))
              AND NOT EXISTS (SELECT FROM pg_constraint k
                               WHERE k.conrelid = a.attrelid AND k.contype = 'f' AND a.attnum = ANY (k.conkey)) AS "unique"
         FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        WHERE a.attrelid = ${literal(table)}::regclass AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attnum`,
    );
    const columns = rows as unknown as Column[];
    this.#columns.set(table, columns);
    return columns;
  }

  /** A table that was analysed, for FROM: of a large one some of its pages, always the same. */
  async sampled(table: string): Promise<string> {
    const known = this.#sampled.get(table);
    if (known !== undefined) return known;
    const [row] = await this.#copy.ask(
      `SELECT reltuples::float8 AS rows FROM pg_class WHERE oid = ${literal(table)}::regclass AND relkind = 'r'`,
    );
    const percent = (100 * SAMPLED_ROWS) / Number(row?.rows ?? 0);
    const from = percent < 100 ? `${table} TABLESAMPLE SYSTEM (${percent}) REPEATABLE (1)` : table;
    this.#sampled.set(table, from);
    return from;
  }

  /** Foreign keys that refer to a table. */
  async referringTo(table: string): Promise<ForeignKey[]> {
    const rows = await this.#copy.ask(
      `SELECT format('"%s"."%s"', replace(n.nspname, '"', '""'), replace(c.relname, '"', '""')) AS child,
              ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(n, o)
                      JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.o) AS "childColumns",
              ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(n, o)
                      JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.o) AS "parentColumns",
              k.confdeltype = 'c' AS cascades
         FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE k.contype = 'f' AND k.confrelid = ${literal(table)}::regclass AND c.relkind = 'r'
        ORDER BY k.oid`,
    );
    return rows as unknown as ForeignKey[];
  }

  /** Whatever else than a B-tree serves `key operator …`, or an order by it: what the extensions bring, too. */
  async classesFor(
    table: string,
    key: string,
    operator: string,
  ): Promise<readonly OperatorClass[]> {
    const id = `${table} ${key} ${operator}`;
    const known = this.#classes.get(id);
    if (known !== undefined) return known;
    const { fields } = await this.#copy.result(`SELECT ${key} FROM ${table} LIMIT 0`);
    const rows = await this.#copy.ask(
      `SELECT DISTINCT am.amname AS method, format('%I.%I', n.nspname, oc.opcname) AS name, oc.opcdefault
         FROM pg_type t
         JOIN pg_opclass oc ON oc.opcintype = t.oid
           OR (oc.opcintype = 'text'::regtype AND t.typname = 'varchar')
           OR (oc.opcintype = 'anyarray'::regtype AND t.typcategory = 'A')
           OR (oc.opcintype = 'anyrange'::regtype AND t.typtype = 'r')
           OR (oc.opcintype = 'anymultirange'::regtype AND t.typtype = 'm')
         JOIN pg_am am ON am.oid = oc.opcmethod AND am.amname IN ('gin', 'gist', 'spgist')
         JOIN pg_amop ao ON ao.amopfamily = oc.opcfamily AND ao.amoplefttype = oc.opcintype
         JOIN pg_operator o ON o.oid = ao.amopopr AND o.oprname = ${literal(operator)}
         JOIN pg_namespace n ON n.oid = oc.opcnamespace
        WHERE t.oid = ${fields[0]?.dataTypeID ?? 0}
        ORDER BY oc.opcdefault DESC, method, name`,
    );
    const classes = rows as unknown as OperatorClass[];
    this.#classes.set(id, classes);
    return classes;
  }
}
