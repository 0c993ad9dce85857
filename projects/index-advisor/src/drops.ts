/** Indexes that there are, and that nobody would miss. */
import type pg from "pg";
import type { DropIndex } from "../contract.ts";
import { BUILDERS } from "./builders.ts";
import type { Catalog, ExistingIndex } from "./catalog.ts";
import { dropIndexSql, sameIndex } from "./ddl.ts";
import { isPrefix } from "./select/redundancy.ts";

/** An index to be dropped, and how. */
export interface Superfluous extends DropIndex {
  /** `DROP INDEX CONCURRENTLY …`, without a semicolon: `name` alone doesn't tell where a schema's name ends. */
  readonly sql: string;
}

/** What of an index the catalogue's reader doesn't tell. */
interface Traits {
  /** Object ids grow: the smaller is the older. */
  readonly oid: number;
  /** Somebody could be building it at this moment. */
  readonly inTheMaking: boolean;
  /** Operator class, its parameters and the collation of each key: two schemas may have one name for different ones. */
  readonly keys: readonly string[];
  /** Storage parameters and tablespace. */
  readonly storage: string;
}

interface TraitsRow extends Omit<Traits, "oid"> {
  readonly schema: string;
  readonly name: string;
  readonly oid: string;
}

const TRAITS = `
WITH ${BUILDERS}
SELECT n.nspname AS schema, c.relname AS name, c.oid,
  EXISTS (SELECT FROM builders b WHERE b.relation = i.indrelid) AS "inTheMaking",
  ARRAY(SELECT concat_ws(' ', i.indclass[k.n - 1], i.indcollation[k.n - 1], a.attoptions::text)
    FROM generate_series(1, i.indnkeyatts) AS k (n)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.n ORDER BY k.n) AS keys,
  concat_ws(' ', c.reltablespace, c.reloptions::text) AS storage
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace`;

/** @param client of the target; nothing is changed */
export async function superfluous(
  client: pg.Client,
  catalog: Catalog,
): Promise<readonly Superfluous[]> {
  const { rows } = await client.query<TraitsRow>(TRAITS);
  const traits = new Map(
    rows.map(({ schema, name, oid, ...rest }) => [
      dropIndexSql(schema, name),
      { ...rest, oid: Number(oid) },
    ]),
  );
  return (
    catalog.tables
      // An index of a partitioned table may be invalid only until its parts are there, and can't be dropped concurrently.
      .filter(({ kind }) => kind !== "partitioned")
      .flatMap(({ indexes }) => superfluousOf(indexes, traits))
  );
}

function superfluousOf(
  indexes: readonly ExistingIndex[],
  traits: ReadonlyMap<string, Traits>,
): readonly Superfluous[] {
  const traitsOf = (index: ExistingIndex) => traits.get(sqlOf(index));
  const ageOf = (index: ExistingIndex) => traitsOf(index)?.oid ?? 0;
  const droppable = indexes.filter((index) => !isHeld(index));
  const drops: Superfluous[] = [];
  const drop = (index: ExistingIndex, reason: DropIndex["reason"], keep?: ExistingIndex) =>
    drops.push({
      name: nameOf(index),
      reason,
      keep: keep ? nameOf(keep) : null,
      sql: sqlOf(index),
    });
  const staying = new Set(indexes.filter(({ valid }) => valid));
  for (const index of droppable) {
    if (!index.valid && !traitsOf(index)?.inTheMaking) drop(index, "invalid");
  }
  // The youngest go first, so that of several that are the same the oldest stays.
  const valid = droppable.filter((index) => index.valid).toSorted((a, b) => ageOf(b) - ageOf(a));
  for (const index of valid) {
    const same = oldest([...staying].filter((other) => other !== index && isSame(index, other)));
    if (same === undefined) continue;
    staying.delete(index);
    drop(index, "duplicate", same);
  }
  for (const index of valid) {
    if (!staying.has(index) || index.unique) continue;
    const longer = oldest(
      [...staying].filter((other) => other !== index && isBeginning(index, other)),
    );
    if (longer === undefined) continue;
    staying.delete(index);
    drop(index, "redundant-prefix", longer);
  }
  return settled(drops);

  function oldest(found: readonly ExistingIndex[]): ExistingIndex | undefined {
    // What must stay anyway is what to rely on.
    return found.toSorted(
      (a, b) => Number(isHeld(b)) - Number(isHeld(a)) || ageOf(a) - ageOf(b),
    )[0];
  }

  /** A unique index that is no constraint's keeps rows apart all the same: only a unique one can take its place. */
  function isSame(index: ExistingIndex, other: ExistingIndex): boolean {
    if (!sameIndex(index.spec, other.spec) || !haveSameKeys(index, other)) return false;
    if (traitsOf(index)?.storage !== traitsOf(other)?.storage) return false;
    return !index.unique || (other.unique && index.nullsNotDistinct === other.nullsNotDistinct);
  }

  function isBeginning(index: ExistingIndex, other: ExistingIndex): boolean {
    // Two that differ in how they are stored only were made so by somebody who had a reason.
    if (sameIndex(index.spec, other.spec)) return false;
    return isPrefix(index.spec, other.spec) && haveSameKeys(index, other);
  }

  function haveSameKeys(index: ExistingIndex, other: ExistingIndex): boolean {
    const others = traitsOf(other)?.keys ?? [];
    return traitsOf(index)?.keys.every((key, i) => key === others[i]) ?? false;
  }
}

/** Nobody is told to rely on an index that is to be dropped itself: then on what that one relies on. */
function settled(drops: readonly Superfluous[]): readonly Superfluous[] {
  const others = new Map(drops.map((drop) => [drop.name, drop]));
  return drops.map((drop) => {
    let { reason, keep } = drop;
    for (let next = others.get(keep ?? ""); next !== undefined; next = others.get(keep ?? "")) {
      ({ keep } = next);
      // What is the same as the beginning of another one is the beginning of it.
      if (next.reason === "redundant-prefix") ({ reason } = next);
    }
    return { ...drop, reason, keep };
  });
}

function isHeld(index: ExistingIndex): boolean {
  return index.backsConstraint || index.replicaIdentity || index.clustered || index.partOfAnother;
}

function nameOf({ schema, name }: ExistingIndex): string {
  return `${schema}.${name}`;
}

function sqlOf({ schema, name }: ExistingIndex): string {
  return dropIndexSql(schema, name);
}
