/** What a database says of its tables and indexes. */
import { type Connection, MARK } from "./connection.ts";

export interface Table {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** Found without its schema. */
  readonly visible: boolean;
  readonly columns: ReadonlyMap<string, Column>;
}

export interface Column {
  readonly name: string;
  readonly type: string;
  /** Text that is sorted byte by byte. */
  readonly bytewise: boolean;
}

export interface ExistingIndex {
  readonly schema: string;
  readonly table: number;
  readonly name: string;
  readonly oid: number;
  readonly method: string;
  /** Of each key: its text, operator class, collation and direction. */
  readonly keys: readonly string[];
  readonly include: readonly string[];
  readonly where: string;
  readonly unique: boolean;
  readonly valid: boolean;
  /** Somebody is building it at this moment. */
  readonly building: boolean;
  /** A constraint, a foreign key, a replica identity or CLUSTER depends on it. */
  readonly needed: boolean;
  /** `pg_get_indexdef` without the name. */
  readonly definition: string;
}

export interface ForeignKey {
  readonly child: number;
  readonly parent: number;
  readonly columns: readonly string[];
}

export interface Catalog {
  readonly tables: readonly Table[];
  readonly indexes: readonly ExistingIndex[];
  readonly foreignKeys: readonly ForeignKey[];
  readonly extensions: ReadonlySet<string>;
}

const TABLES = `
  SELECT c.oid::int AS oid, n.nspname AS schema, c.relname AS name, pg_table_is_visible(c.oid) AS visible,
    (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, NULL),
        'bytewise', coalesce(o.collname IN ('C', 'POSIX') OR (o.collname = 'default' AND d.datcollate IN ('C', 'POSIX')), true)))
      FROM pg_attribute a LEFT JOIN pg_collation o ON o.oid = a.attcollation
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, pg_database d
  WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND d.datname = current_database()`;

/** Of an index `i`, of class `c`: its keys, as `ExistingIndex` has them. */
export const KEYS = `ARRAY(SELECT concat_ws(' ', pg_get_indexdef(c.oid, k, true), i.indclass[k - 1], i.indcollation[k - 1], i.indoption[k - 1])
      FROM generate_series(1, i.indnkeyatts) AS k)`;

const INDEXES = `
  SELECT n.nspname AS schema, i.indrelid::int AS table, c.relname AS name, c.oid::int AS oid, m.amname AS method,
    i.indisunique AS unique, i.indisvalid AND i.indisready AS valid,
    EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = c.oid) AS building,
    i.indisreplident OR i.indisclustered OR EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid) AS needed,
    coalesce(pg_get_expr(i.indpred, i.indrelid), '') AS where,
    regexp_replace(pg_get_indexdef(c.oid), '^CREATE (UNIQUE )?INDEX .*? ON ', 'ON ') AS definition,
    ${KEYS} AS keys,
    ARRAY(SELECT pg_get_indexdef(c.oid, k, true) FROM generate_series(i.indnkeyatts + 1, i.indnatts) AS k) AS include
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_am m ON m.oid = c.relam
  WHERE c.relkind = 'i' AND NOT c.relispartition AND n.nspname !~ '^pg_' ORDER BY c.oid`;

const FOREIGN_KEYS = `
  SELECT conrelid::int AS child, confrelid::int AS parent,
    ARRAY(SELECT a.attname::text FROM unnest(conkey) WITH ORDINALITY AS k(n, i)
      JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.n ORDER BY k.i) AS columns
  FROM pg_constraint WHERE contype = 'f'`;

export async function readCatalog(client: Connection): Promise<Catalog> {
  const asked = async <T>(sql: string) => (await client.query(`${MARK} ${sql}`)).rows as T[];
  const tables = await asked<Omit<Table, "columns"> & { columns: Column[] | null }>(TABLES);
  return {
    tables: tables.map((table) => ({
      ...table,
      columns: new Map((table.columns ?? []).map((column) => [column.name, column])),
    })),
    indexes: await asked<ExistingIndex>(INDEXES),
    foreignKeys: await asked<ForeignKey>(FOREIGN_KEYS),
    extensions: new Set(
      (await asked<{ name: string }>("SELECT extname AS name FROM pg_extension")).map(
        ({ name }) => name,
      ),
    ),
  };
}
