/**
 * Statements that name a partitioned table, or one that others inherit from, read its parts: each has rows and
 * indexes of its own, and `CREATE INDEX CONCURRENTLY` is for one of them at a time (PostgreSQL's manual, CREATE
 * INDEX).
 */
import type { Catalog, Table } from "../catalog.ts";
import type { Query } from "../model.ts";
import { type Explained, nodesOf } from "../plan.ts";

/** Each part wants an index of its own, which is asked about, built and measured by itself. */
const MOST_PARTS = 32;

/**
 * @param plans with VERBOSE, one for each of its instances: they leave out what can't have any of the rows
 * @returns the query, with an access for each part that it reads behind the one that names the whole
 * @throws Error with the reason, for people, where there are too many
 */
export function withParts(query: Query, plans: readonly Explained[], catalog: Catalog): Query {
  const planned = new Set(plans.flatMap(tablesOf));
  const accesses = query.accesses.flatMap((access) => {
    const whole = `${access.schema}.${access.table}`;
    // Those with rows: a partition may have partitions of its own.
    const parts = catalog.tables.filter(
      ({ kind, ancestors }) => kind === "table" && ancestors.includes(whole),
    );
    const read = parts.filter((part) => planned.has(nameOf(part)));
    if (read.length > MOST_PARTS) {
      throw new Error(
        `It reads ${read.length} partitions of ${whole}. Each would need indexes of its own, and more than ${MOST_PARTS} are not looked at.`,
      );
    }
    // Where INSERT puts its rows, no plan tells.
    const touched = read.length === 0 && access.writes !== undefined ? parts : read;
    return [
      access,
      ...touched.map(({ schema, name }) => ({ ...access, schema, table: name, partOf: whole })),
    ];
  });
  return { ...query, accesses };
}

function nameOf({ schema, name }: Table): string {
  return `${schema}.${name}`;
}

function tablesOf({ Plan }: Explained): readonly string[] {
  return [...nodesOf(Plan)].flatMap(({ Schema, "Relation Name": name }) =>
    name === undefined ? [] : `${Schema}.${name}`,
  );
}
