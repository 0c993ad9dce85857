/** Which indexes can make a difference to which query. */
import type { Access, Candidate, IndexKey, Query } from "../model.ts";

/**
 * Those that came from it, and those on its tables that begin with something that it asks for. The planner is
 * not asked again where only others changed.
 */
export function relevantTo(query: Query, set: readonly Candidate[]): readonly Candidate[] {
  return set.filter((candidate) => isRelevant(query, candidate));
}

export function isRelevant(query: Query, { index, statements }: Candidate): boolean {
  if (statements.includes(query.statement)) return true;
  const [first] = index.keys;
  return query.accesses.some(
    (access) =>
      access.schema === index.schema &&
      access.table === index.table &&
      first !== undefined &&
      isAskedFor(access, first),
  );
}

function isAskedFor(
  { predicates, sort, group }: Access,
  { column, expression }: IndexKey,
): boolean {
  const same = (other: { readonly column?: string; readonly expression?: string }) =>
    column === undefined ? other.expression === expression : other.column === column;
  return (
    predicates.some(same) || sort.some(same) || (column !== undefined && group.includes(column))
  );
}
