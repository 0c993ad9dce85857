/** What the catalogue is asked. Every text is one statement that reads, for PostgreSQL 15 and newer. */
import type { Table } from "../catalog.ts";

const NOT_THE_SYSTEMS = `n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%'`;

/** Nobody plans a query on what belongs to an extension. */
const NO_EXTENSIONS = `NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;

export interface ServerRow {
  readonly serverVersion: number;
  readonly database: string;
  readonly searchPath: readonly string[];
}

export const SERVER = `
SELECT current_setting('server_version_num')::int AS "serverVersion",
  current_database()::text AS database,
  current_schemas(true)::text[] AS "searchPath"`;

export interface TableRow extends Omit<Table, "columns" | "indexes" | "definition"> {
  readonly oid: number;
  readonly definition: string | null;
}

/** The planner, too, takes the rows per page of the last ANALYZE, and multiplies by the pages now. */
export const TABLES = `
SELECT c.oid::int8::float8 AS oid, n.nspname AS schema, c.relname AS name,
  CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned' WHEN 'v' THEN 'view'
    WHEN 'm' THEN 'materialized view' ELSE 'foreign' END AS kind,
  CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END AS definition,
  CASE WHEN c.reltuples <= 0 THEN size.pages * 10
    WHEN c.relpages = 0 THEN c.reltuples
    ELSE c.reltuples / c.relpages * size.pages END::float8 AS rows,
  size.pages::float8 AS pages,
  ARRAY(WITH RECURSIVE above (oid) AS (
      SELECT inhparent FROM pg_inherits WHERE inhrelid = c.oid
      UNION SELECT h.inhparent FROM pg_inherits h JOIN above ON h.inhrelid = above.oid)
    SELECT an.nspname || '.' || a.relname
    FROM above JOIN pg_class a USING (oid) JOIN pg_namespace an ON an.oid = a.relnamespace) AS ancestors
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
  LATERAL (SELECT CASE WHEN c.relkind IN ('r', 'm')
    THEN pg_relation_size(c.oid) / current_setting('block_size')::int ELSE 0 END AS pages) size
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND ${NOT_THE_SYSTEMS} AND ${NO_EXTENSIONS}
ORDER BY 2, 3`;

export interface ColumnRow {
  readonly table: number;
  readonly name: string;
  readonly type: string;
  readonly baseType: string;
  readonly category: string;
  readonly element: string | null;
  readonly bytewise: boolean;
  readonly notNull: boolean;
  readonly nullFraction: number | null;
  readonly distinct: number | null;
  readonly commonValues: readonly string[] | null;
  readonly commonFrequencies: readonly number[] | null;
  readonly histogram: readonly string[] | null;
  readonly commonElements: readonly string[] | null;
  readonly correlation: number | null;
  readonly averageWidth: number | null;
}

/**
 * libc's `C` and `POSIX` sort by bytes, and so do the built-in ones that came with PostgreSQL 17, whose
 * column `…locale` older ones don't have. ICU's never do, whatever their `…collate` says.
 */
function bytewise(row: string, prefix: string): string {
  const provider = `${row}.${prefix}${prefix === "dat" ? "locprovider" : "provider"}`;
  return `${provider} = 'c' AND ${row}.${prefix}collate IN ('C', 'POSIX')
      OR ${provider} = 'b' AND to_jsonb(${row}) ->> '${prefix}locale' IN ('C', 'C.UTF-8')`;
}

/** A domain of a domain is followed to its end. */
export const COLUMNS = `
WITH RECURSIVE base (of, oid) AS (
  SELECT oid, oid FROM pg_type
  UNION ALL
  SELECT base.of, t.typbasetype FROM base JOIN pg_type t ON t.oid = base.oid WHERE t.typtype = 'd'
)
SELECT c.oid::int8::float8 AS table, a.attname AS name,
  format_type(a.atttypid, a.atttypmod) AS type, t.typname AS "baseType", t.typcategory AS category,
  e.typname AS element,
  coalesce(CASE WHEN co.collprovider = 'd' THEN (${bytewise("d", "dat")}) ELSE (${bytewise("co", "coll")}) END,
    false) AS bytewise,
  a.attnotnull AS "notNull",
  s.null_frac::float8 AS "nullFraction",
  CASE WHEN s.n_distinct < 0 THEN -s.n_distinct * greatest(c.reltuples, 0) ELSE s.n_distinct END::float8 AS "distinct",
  s.most_common_vals::text::text[] AS "commonValues",
  s.most_common_freqs::float8[] AS "commonFrequencies",
  s.histogram_bounds::text::text[] AS histogram,
  s.most_common_elems::text::text[] AS "commonElements",
  s.correlation::float8 AS correlation,
  s.avg_width::float8 AS "averageWidth"
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN base b ON b.of = a.atttypid JOIN pg_type t ON t.oid = b.oid AND t.typtype <> 'd'
LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
LEFT JOIN pg_collation co ON co.oid = a.attcollation
JOIN pg_database d ON d.datname = current_database()
LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
  AND s.inherited = (c.relkind = 'p')
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND ${NOT_THE_SYSTEMS} AND ${NO_EXTENSIONS}
ORDER BY c.oid, a.attnum`;

export interface KeyRow {
  readonly column: string | null;
  readonly expression: string;
  readonly operatorClass: string;
  readonly defaultClass: boolean;
  readonly collation: string | null;
  /** Bits of `pg_index.indoption`: 1 descending, 2 nulls first. */
  readonly option: number;
}

export interface IndexRow {
  readonly table: number;
  readonly schema: string;
  readonly tableName: string;
  readonly name: string;
  readonly definition: string;
  readonly method: string;
  readonly keys: readonly KeyRow[];
  readonly include: readonly string[];
  readonly where: string | null;
  readonly valid: boolean;
  readonly unique: boolean;
  readonly backsConstraint: boolean;
  readonly replicaIdentity: boolean;
  readonly clustered: boolean;
  readonly partOfAnother: boolean;
  readonly nullsNotDistinct: boolean;
  readonly sizeBytes: number;
  readonly scans: number;
}

/**
 * A foreign key of another table may point to a unique index without a constraint of its own, so
 * `conindid` of every kind of constraint counts.
 */
export const INDEXES = `
SELECT i.indrelid::int8::float8 AS table, n.nspname AS schema, t.relname AS "tableName", x.relname AS name,
  pg_get_indexdef(i.indexrelid) AS definition, am.amname AS method,
  keys.list AS keys,
  ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE k.n > i.indnkeyatts ORDER BY k.n) AS include,
  pg_get_expr(i.indpred, i.indrelid) AS where,
  i.indisvalid AND i.indisready AND i.indislive AS valid,
  i.indisunique AS unique,
  i.indisprimary OR i.indisexclusion
    OR EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid) AS "backsConstraint",
  i.indisreplident OR i.indisprimary AND t.relreplident = 'd' AS "replicaIdentity",
  i.indisclustered AS clustered,
  EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i.indexrelid) AS "partOfAnother",
  i.indnullsnotdistinct AS "nullsNotDistinct",
  pg_relation_size(i.indexrelid)::float8 AS "sizeBytes",
  coalesce(st.idx_scan, 0)::float8 AS scans
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am am ON am.oid = x.relam
JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
LEFT JOIN pg_stat_all_indexes st ON st.indexrelid = i.indexrelid,
LATERAL (
  SELECT jsonb_agg(jsonb_build_object(
    'column', a.attname,
    'expression', pg_get_indexdef(i.indexrelid, k.n::int, false),
    'operatorClass', o.opcname,
    'defaultClass', o.opcdefault,
    'collation', CASE WHEN c.oid IS NOT NULL AND c.oid <> coalesce(a.attcollation, 100) THEN quote_ident(c.collname) END,
    'option', i.indoption[k.n - 1]) ORDER BY k.n) AS list
  FROM generate_series(1, i.indnkeyatts) AS k (n)
  LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.n - 1] AND a.attnum > 0
  LEFT JOIN pg_opclass o ON o.oid = i.indclass[k.n - 1]
  LEFT JOIN pg_collation c ON c.oid = i.indcollation[k.n - 1]
) keys
WHERE ${NOT_THE_SYSTEMS}
ORDER BY i.indrelid, x.relname`;

/** Partitions repeat their parent's. */
export const FOREIGN_KEYS = `
SELECT k.conname AS name, n.nspname AS schema, c.relname AS table,
  ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u (attnum, n)
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum ORDER BY u.n) AS columns,
  pn.nspname AS "parentSchema", pc.relname AS "parentTable",
  ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u (attnum, n)
    JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum ORDER BY u.n) AS "parentColumns",
  k.confdeltype = 'c' AS cascades
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class pc ON pc.oid = k.confrelid JOIN pg_namespace pn ON pn.oid = pc.relnamespace
WHERE k.contype = 'f'
ORDER BY 2, 3, 1`;

export interface ExtensionRow {
  readonly name: string;
  readonly version: string | null;
  readonly schema: string | null;
}

export const EXTENSIONS = `
SELECT a.name::text AS name, e.extversion AS version, n.nspname::text AS schema
FROM pg_available_extensions a
LEFT JOIN pg_extension e ON e.extname = a.name LEFT JOIN pg_namespace n ON n.oid = e.extnamespace`;
