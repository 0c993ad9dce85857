/** The indexes that a database has, described so that those of two databases can be compared. */
import type { Row } from "./databases.ts";

export interface ExistingIndex {
  readonly oid: string;
  /** As SQL wants it, quoted where it has to be. */
  readonly schema: string;
  readonly table: string;
  /** With its schema, as SQL wants it. */
  readonly quoted: string;
  /** With its schema, as it is in the catalogue. */
  readonly name: string;
  readonly method: string;
  /** Column or expression, operator class, collation, direction: each as text. */
  readonly keys: readonly string[];
  readonly carried: readonly string[];
  readonly predicate: string;
  readonly unique: boolean;
  readonly valid: boolean;
  /** A constraint, a foreign key or the replica identity needs it, or it is a part of something larger. */
  readonly needed: boolean;
  readonly clustered: boolean;
  /** By another session, right now. */
  readonly beingBuilt: boolean;
}

/**
 * Who may not read others' statistics sees in the progress view that something is being built, and not what:
 * then whoever holds the lock of a build on the table counts as building. REINDEX builds more than the one
 * index that the view names.
 */
const INDEXES = `
  WITH building AS (
    SELECT relid, index_relid, command FROM pg_stat_progress_create_index WHERE datname = current_database()
  ), locked AS (
    SELECT relation FROM pg_locks
     WHERE locktype = 'relation' AND mode = 'ShareUpdateExclusiveLock' AND granted
       AND pid <> pg_backend_pid()
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  )
  SELECT i.indexrelid::text AS oid, format('%I', n.nspname) AS schema, format('%I', t.relname) AS "table",
         format('%I.%I', n.nspname, c.relname) AS quoted, n.nspname || '.' || c.relname AS name, am.amname AS method,
         i.indisunique AS "unique", i.indisvalid AS valid, i.indisclustered AS clustered,
         coalesce(pg_get_expr(i.indpred, i.indrelid), '') AS predicate,
         i.indisreplident
           OR EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
           OR EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = i.indexrelid)
           OR EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                         AND d.objid = i.indexrelid AND d.deptype = 'e')
           OR EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass
                         AND d.refobjid = i.indexrelid AND d.deptype = 'n') AS needed,
         EXISTS (SELECT FROM building b WHERE b.index_relid = i.indexrelid
                    OR (b.relid = i.indrelid AND b.command LIKE 'REINDEX%')
                    OR (b.relid IS NULL AND i.indrelid IN (SELECT relation FROM locked))
                    OR (b.index_relid = 0 AND b.relid = i.indrelid)) AS "beingBuilt",
         ARRAY(SELECT concat_ws(' ', pg_get_indexdef(i.indexrelid, k, false),
                        CASE WHEN k <= i.indnkeyatts THEN
                          (SELECT oc.opcname FROM pg_opclass oc WHERE oc.oid = i.indclass[k - 1]) END,
                        CASE WHEN k <= i.indnkeyatts THEN
                          (SELECT co.collname FROM pg_collation co WHERE co.oid = i.indcollation[k - 1]) END,
                        CASE WHEN k <= i.indnkeyatts THEN i.indoption[k - 1]::text END)
                 FROM generate_series(1, i.indnatts) k ORDER BY k) AS columns,
         i.indnkeyatts AS "keyCount"
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_class t ON t.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_am am ON am.oid = c.relam
   WHERE c.relkind = 'i' AND c.relpersistence <> 't'
     AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
   ORDER BY i.indexrelid`;

export async function existingIndexes(connection: {
  ask(sql: string): Promise<Row[]>;
}): Promise<ExistingIndex[]> {
  const rows = await connection.ask(INDEXES);
  return rows.map(({ columns, keyCount, ...row }) => {
    const all = columns as string[];
    return {
      ...(row as unknown as ExistingIndex),
      keys: all.slice(0, Number(keyCount)),
      carried: all.slice(Number(keyCount)),
    };
  });
}

/** Whether they are on the same table, of the same method, and over the same rows. */
export function comparable(a: ExistingIndex, b: ExistingIndex): boolean {
  return (
    a.schema === b.schema &&
    a.table === b.table &&
    a.method === b.method &&
    a.predicate === b.predicate
  );
}

export function same(a: ExistingIndex, b: ExistingIndex): boolean {
  return comparable(a, b) && equal(a.keys, b.keys) && equal(a.carried, b.carried);
}

/** Whether `long` begins with all of `short`'s columns and has more. Only a B-tree is in their order. */
export function isPrefix(short: ExistingIndex, long: ExistingIndex): boolean {
  return (
    comparable(short, long) &&
    short.method === "btree" &&
    short.carried.length === 0 &&
    short.keys.length < long.keys.length &&
    equal(short.keys, long.keys.slice(0, short.keys.length))
  );
}

function equal(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value, position) => value === b[position]);
}
