/** Indexes that there are, and that nobody would miss. */
import type pg from "pg";
import type { DropIndex } from "../contract.ts";
import type { Catalog, ExistingIndex } from "./catalog.ts";
import { sameIndex } from "./ddl.ts";
import { isPrefix } from "./select/redundancy.ts";

/** What of an index the catalogue's reader doesn't tell. */
interface Age {
  /** Object ids grow: the smaller is the older. */
  readonly oid: number;
  /** Somebody builds it at this moment. */
  readonly inTheMaking: boolean;
}

/** @param client of the target; nothing is changed */
export async function superfluous(
  client: pg.Client,
  catalog: Catalog,
): Promise<readonly DropIndex[]> {
  const { rows } = await client.query<{ name: string; oid: string; making: boolean }>(
    `SELECT n.nspname || '.' || c.relname AS name, c.oid, p.pid IS NOT NULL AS making
     FROM pg_class c
     JOIN pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_stat_progress_create_index p ON p.index_relid = c.oid AND p.datname = current_database()
     WHERE c.relkind IN ('i', 'I')`,
  );
  const ages = new Map<string, Age>(
    rows.map(({ name, oid, making }) => [name, { oid: Number(oid), inTheMaking: making }]),
  );
  return catalog.tables.flatMap(({ indexes }) => superfluousOf(indexes, ages));
}

function superfluousOf(
  indexes: readonly ExistingIndex[],
  ages: ReadonlyMap<string, Age>,
): readonly DropIndex[] {
  const ageOf = (index: ExistingIndex) => ages.get(nameOf(index))?.oid ?? 0;
  const droppable = indexes.filter(
    (index) => !isHeld(index) && ages.get(nameOf(index))?.inTheMaking !== true,
  );
  const drops: DropIndex[] = [];
  const staying = new Set(indexes.filter(({ valid }) => valid));
  for (const index of droppable.filter(({ valid }) => !valid)) {
    drops.push({ name: nameOf(index), reason: "invalid", keep: null });
  }
  // The youngest go first, so that of several that are the same the oldest stays.
  const valid = droppable.filter((index) => index.valid).toSorted((a, b) => ageOf(b) - ageOf(a));
  for (const index of valid) {
    const same = oldest([...staying].filter((other) => other !== index && isSame(index, other)));
    if (same === undefined) continue;
    staying.delete(index);
    drops.push({ name: nameOf(index), reason: "duplicate", keep: nameOf(same) });
  }
  for (const index of valid) {
    if (!staying.has(index) || index.unique) continue;
    const longer = oldest(
      [...staying].filter((other) => other !== index && isPrefix(index.spec, other.spec)),
    );
    if (longer === undefined) continue;
    staying.delete(index);
    drops.push({ name: nameOf(index), reason: "redundant-prefix", keep: nameOf(longer) });
  }
  return settled(drops);

  function oldest(found: readonly ExistingIndex[]): ExistingIndex | undefined {
    // What must stay anyway is what to rely on.
    return found.toSorted(
      (a, b) => Number(isHeld(b)) - Number(isHeld(a)) || ageOf(a) - ageOf(b),
    )[0];
  }
}

/** Nobody is told to rely on an index that is to be dropped itself: then on what that one relies on. */
function settled(drops: readonly DropIndex[]): readonly DropIndex[] {
  const keeps = new Map(drops.map(({ name, keep }) => [name, keep]));
  return drops.map((drop) => {
    let { keep } = drop;
    while (keep !== null && keeps.has(keep)) keep = keeps.get(keep) ?? null;
    return { ...drop, keep };
  });
}

/** A unique index that is no constraint's keeps rows apart all the same: only a unique one can take its place. */
function isSame(index: ExistingIndex, other: ExistingIndex): boolean {
  if (!sameIndex(index.spec, other.spec)) return false;
  return !index.unique || (other.unique && index.nullsNotDistinct === other.nullsNotDistinct);
}

function isHeld(index: ExistingIndex): boolean {
  return index.backsConstraint || index.replicaIdentity || index.clustered || index.partOfAnother;
}

function nameOf({ schema, name }: ExistingIndex): string {
  return `${schema}.${name}`;
}
