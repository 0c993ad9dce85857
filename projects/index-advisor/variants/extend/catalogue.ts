/** What the copy consists of: tables, their columns, foreign keys, and what each operator class can search. */
import type { Connection } from "./connections.ts";

export interface Column {
  readonly name: string;
  /** As SQL names it, `character varying(20)`. A domain counts as what it is of. */
  readonly type: string;
  readonly typeOid: string;
}

export interface Table {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  readonly view: string | null;
  readonly pages: number;
  readonly rows: number;
  readonly visible: boolean;
  readonly partitioned: boolean;
  readonly columns: readonly Column[];
}

export interface ForeignKey {
  readonly child: string;
  readonly childColumns: readonly string[];
  readonly parent: string;
  readonly parentColumns: readonly string[];
}

/** A type, and what kinds of index can do with an operator on it. */
export interface TypeFacts {
  readonly oid: string;
  readonly name: string;
  readonly category: string;
  readonly kind: string;
}

export interface SearchClass {
  readonly method: string;
  /** With its schema, quoted. */
  readonly name: string;
  readonly isDefault: boolean;
  readonly inputType: string;
  readonly operator: string;
  readonly ordering: boolean;
}

const TABLES = `
  SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name,
         CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END AS view,
         c.relpages::float8 AS pages, greatest(c.reltuples, 0)::float8 AS rows,
         pg_table_is_visible(c.oid) AS visible, c.relkind = 'p' AS partitioned,
         (SELECT coalesce(json_agg(json_build_object('name', a.attname,
                   'type', format_type(coalesce(nullif(t.typbasetype, 0), t.oid), a.atttypmod),
                   'typeOid', coalesce(nullif(t.typbasetype, 0), t.oid)::text) ORDER BY a.attnum), '[]')
            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'm', 'v', 'p')
     AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'`;

const FOREIGN_KEYS = `
  SELECT k.conrelid::text AS child, k.confrelid::text AS parent,
         ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(num, at)
                 JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num
                ORDER BY u.at) AS "childColumns",
         ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(num, at)
                 JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num
                ORDER BY u.at) AS "parentColumns"
    FROM pg_constraint k WHERE k.contype = 'f'`;

const SEARCH_CLASSES = `
  SELECT DISTINCT am.amname AS method, quote_ident(n.nspname) || '.' || quote_ident(c.opcname) AS name,
         c.opcdefault AS "isDefault", c.opcintype::text AS "inputType", o.oprname AS operator,
         p.amoppurpose = 'o' AS ordering
    FROM pg_opclass c JOIN pg_am am ON am.oid = c.opcmethod
    JOIN pg_namespace n ON n.oid = c.opcnamespace
    JOIN pg_amop p ON p.amopfamily = c.opcfamily AND p.amoplefttype = c.opcintype
    JOIN pg_operator o ON o.oid = p.amopopr
   WHERE am.amname IN ('gin', 'gist', 'spgist') AND has_schema_privilege(n.oid, 'USAGE')
   ORDER BY 1, 2, 5`;

export interface Catalogue {
  readonly tables: readonly Table[];
  readonly byOid: ReadonlyMap<string, Table>;
  readonly foreignKeys: readonly ForeignKey[];
  readonly searchClasses: readonly SearchClass[];
  readonly types: ReadonlyMap<string, TypeFacts>;
  /** Of tables, indexes and their like, with their schema: what can't be another one's name. */
  readonly names: ReadonlySet<string>;
}

export async function catalogueOf(scratch: Connection): Promise<Catalogue> {
  const tables = await scratch.rows<Table>(TABLES);
  const types = await scratch.rows<TypeFacts>(
    "SELECT oid::text AS oid, typname AS name, typcategory AS category, typtype AS kind FROM pg_type",
  );
  const names = await scratch.rows<{ name: string }>(
    "SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace",
  );
  return {
    tables,
    names: new Set(names.map(({ name }) => name)),
    byOid: new Map(tables.map((table) => [table.oid, table])),
    foreignKeys: await scratch.rows<ForeignKey>(FOREIGN_KEYS),
    searchClasses: await scratch.rows<SearchClass>(SEARCH_CLASSES),
    types: new Map(types.map((type) => [type.oid, type])),
  };
}

export function tableNamed(
  { tables }: Catalogue,
  schema: string | undefined,
  name: string | undefined,
): Table | undefined {
  return tables.find(
    (table) =>
      table.name === name && (schema === undefined ? table.visible : table.schema === schema),
  );
}
