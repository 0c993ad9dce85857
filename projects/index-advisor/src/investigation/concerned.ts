/** Which of many tables a workload is about: only those need to be in order on the copy. */
import { parse } from "libpg-query";
import type { Statement } from "../../contract.ts";
import type { Catalog, Table } from "../catalog.ts";
import { type RelationName, relationsOf } from "../relations.ts";

/**
 * Those that statements name, also through views; their partitions and children; and what foreign keys lead to from
 * there, which is asked when rows go. What triggers ask, nobody knows: where one of these tables has one, it is all
 * of them.
 *
 * @param withTriggers `schema.table` of those that have triggers of their own
 * @returns `schema.table`
 */
export async function concerned(
  statements: readonly Statement[],
  { tables, foreignKeys, searchPath }: Catalog,
  withTriggers: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  // Also where it stands for something else: it is only a question of more or less work.
  const isWritten = statements.some(({ sql }) => /\b(update|delete)\b/i.test(sql));
  const byName = Map.groupBy(tables, ({ name }) => name);
  const open = (await Promise.all(statements.map(({ sql }) => namesIn(sql)))).flat();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const table of meant(next)) {
      const name = nameOf(table);
      if (found.has(name)) continue;
      found.add(name);
      if (table.definition !== undefined) open.push(...(await namesIn(table.definition)));
      const parts = tables.filter(({ ancestors }) => ancestors.includes(name));
      const children = foreignKeys.filter(
        (key) => isWritten && key.parentSchema === table.schema && key.parentTable === table.name,
      );
      open.push(
        ...parts.map(({ schema, name }) => ({ schema, name })),
        ...children.map(({ schema, table }) => ({ schema, name: table })),
      );
    }
  }
  const isUnclear = [...found].some((name) => withTriggers.has(name));
  return isUnclear ? new Set(tables.map(nameOf)) : found;

  function meant({ schema, name }: RelationName): readonly Table[] {
    const alike = byName.get(name) ?? [];
    if (schema !== undefined) return alike.filter((table) => table.schema === schema);
    return alike.filter((table) => searchPath.includes(table.schema));
  }
}

function nameOf({ schema, name }: Table): string {
  return `${schema}.${name}`;
}

/** None where it is no SQL: who tries to understand it says so. */
async function namesIn(sql: string): Promise<readonly RelationName[]> {
  try {
    return relationsOf(await parse(sql));
  } catch {
    return [];
  }
}
