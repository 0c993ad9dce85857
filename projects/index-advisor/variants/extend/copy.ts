/** The copy made like the target, with statistics that fit its rows. All in the lab's transaction. */
import pg from "pg";
import type { AdviseRequest } from "../../contract.ts";
import type { Candidates } from "./candidates.ts";
import { type Catalogue, catalogueOf, type Table, type TypeFacts } from "./catalogue.ts";
import type { Lab } from "./lab.ts";
import type { Key, Use } from "./shape.ts";
import { qualified } from "./sql.ts";
import { type IndexFacts, indexesOf } from "./superfluous.ts";

/** The copy may lack indexes of the target, or have some more. */
export async function likeTarget(lab: Lab, existing: readonly IndexFacts[]): Promise<void> {
  const copied = await indexesOf(lab.scratch);
  const wanted = existing.filter(({ valid }) => valid).map(({ definition: sql }) => sql);
  const present = new Set(copied.filter(({ valid }) => valid).map(({ definition: sql }) => sql));
  for (const { definition: sql, schema, name, needed } of copied) {
    if (!needed && !wanted.includes(sql))
      await attempted(lab, `DROP INDEX ${qualified(schema, name)}`);
  }
  for (const sql of wanted) if (!present.has(sql)) await attempted(lab, sql);
}

/** What can't be done here, such as on tables that the copy lacks, is done without. */
async function attempted(lab: Lab, sql: string): Promise<void> {
  await lab.scratch.run("SAVEPOINT attempted");
  try {
    await lab.scratch.run(sql);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    await lab.scratch.run("ROLLBACK TO attempted");
  }
  await lab.scratch.run("RELEASE attempted");
}

/** Statistics may be older than the rows; so may be what the catalogue says of a table's size. */
export async function withStatistics(lab: Lab, { statements }: AdviseRequest): Promise<Catalogue> {
  const { tables, foreignKeys } = await catalogueOf(lab.scratch);
  let texts = statements.map(({ sql }) => sql.toLowerCase()).join("\n");
  for (const { name, view } of tables) {
    if (view !== null && texts.includes(name.toLowerCase())) texts += view.toLowerCase();
  }
  const mentioned = new Set(
    tables.filter(({ name }) => texts.includes(name.toLowerCase())).map(({ oid }) => oid),
  );
  for (const { child, parent } of foreignKeys) if (mentioned.has(parent)) mentioned.add(child);
  for (const { oid, view, schema, name } of tables) {
    if (view !== null || !mentioned.has(oid)) continue;
    await attempted(lab, `ANALYZE ${qualified(schema, name)}`);
  }
  return await catalogueOf(lab.scratch);
}

/** An imagined index has no statistics of its expression, and without any a range is a third of all rows. */
export async function describeExpressions(lab: Lab, { steps }: Candidates): Promise<void> {
  const computed = new Map<string, Table>();
  for (const { table, parts } of steps.flat()) {
    for (const { key } of parts) {
      if (key.column !== undefined) continue;
      computed.set(`${key.sql} FROM ${qualified(table.schema, table.name)}`, table);
    }
  }
  let at = 0;
  for (const [of, { schema }] of computed) {
    const name = qualified(schema, `advisor_expression_${at++}`);
    await attempted(lab, `CREATE STATISTICS ${name} ON ${of}`);
  }
  for (const { schema, name } of new Set(computed.values())) {
    await attempted(lab, `ANALYZE ${qualified(schema, name)}`);
  }
}

export async function typeOf(
  lab: Lab,
  { table }: Use,
  key: Key,
  { types }: Catalogue,
): Promise<TypeFacts | undefined> {
  const column = table.columns.find(({ name }) => name === key.column);
  if (column) return types.get(column.typeOid);
  try {
    return await lab.tried(async () => {
      const [row] = await lab.scratch.rows<{ oid: string }>(
        `SELECT pg_typeof((SELECT ${key.sql} FROM ${qualified(table.schema, table.name)} LIMIT 0))::oid::text AS oid`,
      );
      return types.get(row?.oid ?? "");
    });
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    return undefined;
  }
}
