/**
 * What a set of indexes costs those who write, in blocks, from what is known of PostgreSQL rather than by
 * trial: whether an update is HOT depends on how full a page happens to be at that moment.
 */
import type { Candidate } from "./candidates.ts";
import type { ForeignKey, Table } from "./catalogue.ts";
import type { Query } from "./queries.ts";
import type { Write } from "./shape.ts";
import { begins, quoted } from "./sql.ts";
import type { IndexFacts } from "./superfluous.ts";

/** A descent to the leaf; in a GIN there is one for each key of the row. */
const BTREE_BLOCKS = 3;
const OTHER_BLOCKS = 8;

export class WriteCosts {
  readonly #existing: readonly IndexFacts[];
  readonly #foreignKeys: readonly ForeignKey[];
  readonly #tables: ReadonlyMap<string, Table>;

  constructor(
    existing: readonly IndexFacts[],
    foreignKeys: readonly ForeignKey[],
    tables: ReadonlyMap<string, Table>,
  ) {
    this.#existing = existing;
    this.#foreignKeys = foreignKeys;
    this.#tables = tables;
  }

  /** Blocks per call, for keeping indexes up to date, and for finding rows that refer to what is deleted. */
  of(query: Query, set: readonly Candidate[]): number {
    return query.shape.writes.reduce(
      (sum, write) =>
        sum + query.rows * (maintenance(write, set, this.#existing) + this.#referring(write, set)),
      0,
    );
  }

  /** The tables that are searched for references to a row that a statement deletes, and by which columns. */
  searchedBy(query: Query): { table: Table; columns: readonly string[] }[] {
    return query.shape.writes.flatMap((write) =>
      this.#keysOf(write).flatMap(({ child, childColumns }) => {
        const table = this.#tables.get(child);
        return table ? [{ table, columns: childColumns }] : [];
      }),
    );
  }

  #keysOf(write: Write): ForeignKey[] {
    return this.#foreignKeys.filter(
      ({ parent, parentColumns }) =>
        parent === write.table.oid &&
        (write.kind === "delete" || parentColumns.some((column) => write.columns.has(column))),
    );
  }

  #referring(write: Write, set: readonly Candidate[]): number {
    return this.#keysOf(write).reduce((sum, { child, childColumns }) => {
      const table = this.#tables.get(child);
      const wanted = childColumns.map(quoted).toSorted();
      const served =
        set.some(
          ({ table: of, parts, method }) =>
            of === table &&
            method === "btree" &&
            begins(
              wanted,
              parts
                .slice(0, wanted.length)
                .map(({ key }) => key.sql)
                .toSorted(),
            ),
        ) || this.#existing.some((index) => servesKey(index, child, childColumns));
      return sum + (served ? BTREE_BLOCKS : (table?.pages ?? 0));
    }, 0);
  }
}

function servesKey(index: IndexFacts, table: string, columns: readonly string[]): boolean {
  const leading = index.columns.slice(0, columns.length).toSorted();
  const wanted = columns.flatMap((column) => [column, quoted(column)]);
  return (
    index.tableOid === table &&
    index.valid &&
    index.predicate === "" &&
    leading.length === columns.length &&
    leading.every((column) => wanted.includes(column))
  );
}

function maintenance(
  { kind, table, columns }: Write,
  set: readonly Candidate[],
  existing: readonly IndexFacts[],
): number {
  const ours = set.filter((index) => index.table === table);
  const each = ours.reduce(
    (sum, { method }) => sum + (method === "btree" ? BTREE_BLOCKS : OTHER_BLOCKS),
    0,
  );
  if (kind === "insert") return each;
  if (kind === "delete") return 0;
  const there = existing.filter((index) => index.tableOid === table.oid);
  if (there.some((index) => index.touches.some((column) => columns.has(column)))) return each;
  const touched = ours.some(({ parts }) =>
    parts.some(({ key }) => key.columns.some((column) => columns.has(column))),
  );
  // One index on the column that is written, and updates write an entry to every index of the table.
  return touched ? each + BTREE_BLOCKS * there.length : 0;
}
