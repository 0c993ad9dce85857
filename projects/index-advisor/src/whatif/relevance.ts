/** Which indexes can make a difference to which query. */
import type { Access, Candidate, Query } from "../model.ts";

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
      (first?.column === undefined || isAskedFor(access, first.column)),
  );
}

function isAskedFor(access: Access, column: string): boolean {
  const { predicates, sort, group } = access;
  return (
    predicates.some((p) => p.column === column) ||
    sort.some((s) => s.column === column) ||
    group.includes(column)
  );
}
