/** Task 5: indexes that another one makes superfluous, or that serve nobody. Read from the catalogue alone. */
import type { DropIndex } from "../../contract.ts";
import type { Connection } from "./connections.ts";
import { begins } from "./sql.ts";

/** One column or expression of an index: all that makes a difference to what it can do. */
export interface IndexFacts {
  readonly oid: string;
  readonly tableOid: string;
  readonly schema: string;
  readonly name: string;
  readonly method: string;
  readonly definition: string;
  readonly keys: readonly string[];
  readonly carried: readonly string[];
  /** Columns and expressions without class and direction, for what is carried. */
  readonly columns: readonly string[];
  /** Names of the table's columns that any part of it is made of. */
  readonly touches: readonly string[];
  readonly predicate: string;
  readonly unique: boolean;
  readonly nullsNotDistinct: boolean;
  readonly deferrable: boolean;
  readonly valid: boolean;
  /** Backs a constraint, is what a foreign key refers to, a replica identity, or a part of a parent's. */
  readonly needed: boolean;
  readonly beingBuilt: boolean;
}

const INDEXES = `
  SELECT i.indexrelid::text AS oid, i.indrelid::text AS "tableOid", n.nspname AS schema,
         c.relname AS name, am.amname AS method, pg_get_indexdef(i.indexrelid) AS definition,
         coalesce(pg_get_expr(i.indpred, i.indrelid), '') AS predicate,
         i.indisunique AS unique, i.indnullsnotdistinct AS "nullsNotDistinct",
         NOT i.indimmediate AS deferrable, i.indisvalid AND i.indisready AND i.indislive AS valid,
         i.indisreplident OR i.indisprimary OR i.indisexclusion OR c.relispartition
           OR EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid) AS needed,
         EXISTS (SELECT FROM pg_stat_progress_create_index p
                   JOIN pg_locks l ON l.pid = p.pid AND l.relation = i.indrelid
                    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                  WHERE coalesce(p.index_relid, 0) IN (0, i.indexrelid)) AS "beingBuilt",
         ARRAY(SELECT concat_ws(' ', pg_get_indexdef(i.indexrelid, a::int, true),
                                i.indclass[a - 1], i.indcollation[a - 1], i.indoption[a - 1],
                                (SELECT attoptions::text FROM pg_attribute
                                  WHERE attrelid = i.indexrelid AND attnum = a))
                 FROM generate_series(1, i.indnkeyatts) a ORDER BY a) AS keys,
         ARRAY(SELECT pg_get_indexdef(i.indexrelid, a::int, true)
                 FROM generate_series(i.indnkeyatts + 1, i.indnatts) a ORDER BY a) AS carried,
         ARRAY(SELECT pg_get_indexdef(i.indexrelid, a::int, true)
                 FROM generate_series(1, i.indnatts) a ORDER BY a) AS columns,
         ARRAY(SELECT t.attname::text FROM pg_attribute t
                WHERE t.attrelid = i.indrelid AND t.attnum > 0
                  AND (t.attnum = ANY (i.indkey)
                    OR EXISTS (SELECT FROM pg_depend d
                                WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
                                  AND d.refobjid = i.indrelid AND d.refobjsubid = t.attnum))) AS touches
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_am am ON am.oid = c.relam
   WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
   ORDER BY i.indexrelid`;

export const indexesOf = (database: Connection): Promise<IndexFacts[]> =>
  database.rows<IndexFacts>(INDEXES);

const exactly = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && begins(a, b);

/** Whether `other` can do all that `index` does. Of two that are the same, each can. */
export function covers(other: IndexFacts, index: IndexFacts): boolean {
  if (other.tableOid !== index.tableOid || other.method !== index.method) return false;
  if (other.predicate !== index.predicate || !begins(index.keys, other.keys)) return false;
  if (!index.carried.every((column) => other.columns.includes(column))) return false;
  if (!index.unique) return true;
  return (
    other.unique &&
    exactly(index.keys, other.keys) &&
    other.nullsNotDistinct === index.nullsNotDistinct &&
    (index.deferrable || !other.deferrable)
  );
}

const same = (a: IndexFacts, b: IndexFacts): boolean =>
  exactly(a.keys, b.keys) && exactly([...a.carried].sort(), [...b.carried].sort());

export function superfluous(indexes: readonly IndexFacts[]): readonly DropIndex[] {
  const staying = new Set(indexes.filter((index) => index.valid));
  const gone: { index: IndexFacts; keep: IndexFacts | null }[] = [];
  for (const index of indexes) {
    if (!index.valid && !index.needed && !index.beingBuilt) gone.push({ index, keep: null });
  }
  // The youngest first: of two that are the same the older one stays, unless only the younger is needed.
  for (const index of [...staying].reverse()) {
    if (index.needed) continue;
    const others = [...staying].filter((other) => other !== index && covers(other, index));
    if (others.length === 0) continue;
    staying.delete(index);
    gone.push({ index, keep: null });
  }
  return gone.map(({ index }) => {
    const full = (of: IndexFacts) => `${of.schema}.${of.name}`;
    if (!index.valid) return { name: full(index), reason: "invalid", keep: null };
    const keepers = [...staying].filter((other) => covers(other, index));
    const twin = keepers.find((other) => same(other, index));
    const keep = twin ?? keepers[0];
    return {
      name: full(index),
      reason: twin ? "duplicate" : "redundant-prefix",
      keep: keep ? full(keep) : null,
    };
  });
}
