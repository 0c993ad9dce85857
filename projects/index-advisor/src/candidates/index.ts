/** Indexes that could help. */
import { type Catalog, findTable, type Table } from "../catalog.ts";
import type { Candidate, IndexSpec, Query } from "../model.ts";
import { btrees } from "./btree.ts";
import { isThere } from "./existing.ts";
import { childIndexes } from "./foreign-keys.ts";
import { conjunctionsOf, sameSubject } from "./keys.ts";
import { merged, united } from "./merge.ts";
import { type Asked, specials } from "./special.ts";

/** 64 KiB: reading all of it is as quick as any index. */
const FEW_PAGES = 8;
/** What HypoPG can pretend, of what is proposed here. */
const HYPOTHETICAL = new Set(["btree", "hash", "brin"]);

/** A partitioned table takes no index built concurrently; its partitions do. */
function canHave(table: Table | undefined): table is Table {
  return (
    table !== undefined &&
    (table.kind === "table" || table.kind === "materialized view") &&
    table.pages >= FEW_PAGES
  );
}

function askedOf(queries: readonly Query[]): Asked {
  const accesses = queries.flatMap((query) => query.accesses);
  return (table, subject) =>
    new Set(
      accesses
        .filter((access) => access.schema === table.schema && access.table === table.name)
        .flatMap(({ predicates }) => predicates)
        .flatMap((predicate) =>
          sameSubject(predicate, subject) ? (predicate.operator ?? []) : [],
        ),
    );
}

function specsOf(query: Query, catalog: Catalog, asked: Asked): readonly IndexSpec[] {
  const own = query.accesses.flatMap((access) => {
    const table = findTable(catalog, access.table, access.schema);
    if (!canHave(table)) return [];
    return conjunctionsOf(access, table).flatMap((conjunction) => [
      ...btrees(conjunction),
      ...specials(conjunction, catalog, asked),
    ]);
  });
  return [...own, ...childIndexes(query, catalog)];
}

/** None that exists already, none that an existing one makes superfluous, none twice. */
export function candidatesFor(queries: readonly Query[], catalog: Catalog): readonly Candidate[] {
  const asked = askedOf(queries);
  const single = united(
    queries.flatMap((query) =>
      specsOf(query, catalog, asked).map((index) => ({
        index,
        statements: [query.statement],
        hypothetical: HYPOTHETICAL.has(index.method),
      })),
    ),
  );
  return united([...single, ...merged(single, queries, catalog)]).filter(({ index }) => {
    const table = findTable(catalog, index.table, index.schema);
    return canHave(table) && !isThere(index, table);
  });
}
