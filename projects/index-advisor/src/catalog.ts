/** What a database's catalogue tells about its tables, read in one go. */
import type pg from "pg";
import {
  COLUMNS,
  type ColumnRow,
  EXTENSIONS,
  type ExtensionRow,
  FOREIGN_KEYS,
  INDEXES,
  type IndexRow,
  SERVER,
  type ServerRow,
  TABLES,
  type TableRow,
} from "./catalog/queries.ts";
import { columnOf, indexOf } from "./catalog/rows.ts";
import type { IndexSpec } from "./model.ts";

/** From `pg_stats`, of the table without its children. Values are texts, as the type writes them. */
export interface ColumnStatistics {
  /** 0 … 1. */
  readonly nullFraction: number;
  /** How many different values; already multiplied out where PostgreSQL keeps a share of the rows. */
  readonly distinct: number;
  readonly commonValues: readonly string[];
  /** Shares of all rows, as long as `commonValues`. */
  readonly commonFrequencies: readonly number[];
  /** Bounds of equally full buckets of what is not among `commonValues`. */
  readonly histogram: readonly string[];
  /** The same for an array's, a jsonb's or a tsvector's elements; empty for others. */
  readonly commonElements: readonly string[];
  /** -1 … 1 between the values' order and the rows' place on disk; `undefined` for types without an order. */
  readonly correlation?: number;
  /** In bytes. */
  readonly averageWidth: number;
}

export interface Column {
  readonly name: string;
  /** As `format_type` writes it: `character varying(20)`. */
  readonly type: string;
  /** `pg_type.typname` of the type, or of what a domain is made of: `varchar`, `int8`, `_text`. */
  readonly baseType: string;
  /** `pg_type.typcategory` of `baseType`: `S` for texts, `A` for arrays, `R` for ranges … */
  readonly category: string;
  /** `typname` of an array's element. */
  readonly element?: string;
  /** Texts under the C collation (or one like it), for which a plain btree serves `LIKE 'x%'`. `false` for other types. */
  readonly bytewise: boolean;
  readonly notNull: boolean;
  /** None before the first ANALYZE. */
  readonly statistics?: ColumnStatistics;
}

export interface ExistingIndex {
  readonly schema: string;
  readonly name: string;
  /** Its keys, as a candidate's would be written. */
  readonly spec: IndexSpec;
  /** As `pg_get_indexdef` writes it. */
  readonly definition: string;
  /** False after a build that failed. */
  readonly valid: boolean;
  readonly unique: boolean;
  /** It is a primary key's, a unique or an exclusion constraint's, or one that a foreign key of another table points to. */
  readonly backsConstraint: boolean;
  readonly replicaIdentity: boolean;
  /** The table was clustered by it. */
  readonly clustered: boolean;
  /** An index of one partition that belongs to its parent's: it can't be dropped alone. */
  readonly partOfAnother: boolean;
  /** A unique index in which two NULLs are equal. */
  readonly nullsNotDistinct: boolean;
  readonly sizeBytes: number;
  /** Since the statistics were reset. */
  readonly scans: number;
}

export interface Table {
  readonly schema: string;
  readonly name: string;
  readonly kind: "table" | "partitioned" | "view" | "materialized view" | "foreign";
  /** A view's SELECT. */
  readonly definition?: string;
  /** As the planner believes: from the last ANALYZE and the size now. */
  readonly rows: number;
  /** Of 8 KiB, on disk now. */
  readonly pages: number;
  readonly columns: readonly Column[];
  readonly indexes: readonly ExistingIndex[];
  /** `schema.table` of those that it is a partition or a child of, directly or not. */
  readonly ancestors: readonly string[];
}

export interface ForeignKey {
  readonly name: string;
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
  readonly parentSchema: string;
  readonly parentTable: string;
  readonly parentColumns: readonly string[];
  /** Deleting the parent deletes the child: `ON DELETE CASCADE`. */
  readonly cascades: boolean;
}

export interface Catalog {
  /** `server_version_num`: 150020. */
  readonly serverVersion: number;
  readonly database: string;
  /** Schemas in which a name without one is looked for, in order. */
  readonly searchPath: readonly string[];
  /** Of all schemas but the system's. */
  readonly tables: readonly Table[];
  readonly foreignKeys: readonly ForeignKey[];
  /** Installed ones, by name, with the schema of their objects. */
  readonly extensions: ReadonlyMap<string, { readonly version: string; readonly schema: string }>;
  /** Extensions that are not installed, but could be. */
  readonly installable: ReadonlySet<string>;
}

/**
 * Reads and changes nothing. Statistics are those of the database that is asked: for advice, ask the copy,
 * after an ANALYZE there.
 *
 * @throws pg's errors as they are
 */
export async function readCatalog(client: pg.Client): Promise<Catalog> {
  const [server] = (await client.query<ServerRow>(SERVER)).rows;
  if (server === undefined) throw new Error("The server said nothing of itself.");
  const columns = (await client.query<ColumnRow>(COLUMNS)).rows.map(columnOf);
  const indexes = (await client.query<IndexRow>(INDEXES)).rows.map(indexOf);
  const columnsOf = Map.groupBy(columns, ({ table }) => table);
  const indexesOf = Map.groupBy(indexes, ({ table }) => table);
  const tables = (await client.query<TableRow>(TABLES)).rows.map(({ oid, definition, ...row }) => ({
    ...row,
    ...(definition === null ? {} : { definition }),
    columns: (columnsOf.get(oid) ?? []).map(({ column }) => column),
    indexes: (indexesOf.get(oid) ?? []).map(({ index }) => index),
  }));
  const extensions = (await client.query<ExtensionRow>(EXTENSIONS)).rows;
  return {
    ...server,
    tables,
    foreignKeys: (await client.query<ForeignKey>(FOREIGN_KEYS)).rows,
    extensions: new Map(
      extensions.flatMap(({ name, version, schema }) =>
        version !== null && schema !== null ? [[name, { version, schema }]] : [],
      ),
    ),
    installable: new Set(extensions.filter((row) => row.version === null).map(({ name }) => name)),
  };
}

/** @param schema without one, the first of the search path that has such a table */
export function findTable(catalog: Catalog, name: string, schema?: string): Table | undefined {
  const schemas = schema === undefined ? catalog.searchPath : [schema];
  for (const candidate of schemas) {
    const found = catalog.tables.find((t) => t.schema === candidate && t.name === name);
    if (found !== undefined) return found;
  }
  return undefined;
}
