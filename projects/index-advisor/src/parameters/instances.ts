/** Runnable texts of a normalised statement. */
import type pg from "pg";
import type { Catalog } from "../catalog.ts";
import type { Instance, Normalised } from "../parameters.ts";
import type { ParameterUse } from "../sql/uses.ts";
import { type Choice, compared, objectKey, type Reader } from "./choices.ts";
import { childless, companions, stored } from "./rows.ts";
import { addedIn, numbersIn, preparable, substitute, type Value } from "./substitute.ts";
import { constantOf, type ParameterType, typesOf } from "./types.ts";

type Choices = Map<number, Choice>;

const LIMIT = "10";

/** What says most of a parameter's value, first. */
const TELLING: readonly ParameterUse["role"][] = [
  "compared",
  "inserted",
  "set",
  "limit",
  "offset",
  "field",
  "key",
  "other",
];

function mainUse(number: number, uses: readonly ParameterUse[]): ParameterUse {
  const own = uses.filter((use) => use.number === number);
  for (const role of TELLING) {
    const found = own.find((use) => use.role === role);
    if (found !== undefined) return found;
  }
  return { number, role: "other" };
}

/** Whether a column's value can be such a parameter's: `created_at > now() - $1` compares no interval. */
function fits(use: ParameterUse, type: ParameterType): boolean {
  if (use.comparison === "operator" || use.comparison === "in" || use.operator === "<->")
    return true;
  const column = use.table?.columns.find(({ name }) => name === use.column);
  return column === undefined || column.category === type.category;
}

/** An error of the server's about what it was asked, as against one of the connection. */
function isAnswer(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "string" &&
    /^(22|42)/.test(error.code)
  );
}

async function chosen(
  use: ParameterUse,
  type: ParameterType,
  mains: readonly ParameterUse[],
  reader: Reader,
): Promise<Choice | undefined> {
  if (use.role === "limit") return { typical: LIMIT };
  if (use.role === "offset") return { typical: "0" };
  if (use.role === "field") return { typical: "day" };
  if (use.role === "key") return objectKey(use, type, reader);
  if (use.role !== "compared" || !fits(use, type)) return undefined;
  const like = mains.filter(
    ({ alias, column, expression, role }) =>
      role === "compared" &&
      alias === use.alias &&
      column === use.column &&
      expression === use.expression,
  );
  return compared(use, type, reader, {
    both: like.some(({ bound }) => bound === "lower"),
    nth: use.bound === undefined ? like.indexOf(use) : 0,
  });
}

async function choicesOf(
  mains: readonly ParameterUse[],
  types: readonly ParameterType[],
  reader: Reader,
): Promise<Choices> {
  const choices: Choices = new Map();
  for (const use of mains) {
    const type = types[use.number - 1];
    if (type === undefined) continue;
    try {
      const choice = await chosen(use, type, mains, reader);
      if (choice !== undefined) choices.set(use.number, choice);
    } catch (error) {
      // A value that can't be read like that has to be some constant of its type.
      if (!isAnswer(error)) throw error;
    }
  }
  return choices;
}

/** A parent that has children can't be deleted, so nobody asks for that. */
async function spareParents(
  mains: readonly ParameterUse[],
  scratch: pg.Client,
  catalog: Catalog,
  choices: Choices,
): Promise<void> {
  for (const { role, comparison, table, column, number } of mains) {
    if (role !== "compared" || comparison !== "equal") continue;
    if (table === undefined || column === undefined) continue;
    const typical = await childless(scratch, table, column, catalog);
    if (typical !== undefined) choices.set(number, { typical });
  }
}

/** Values of one row for what one table's columns have to equal. */
async function together(
  texts: Map<number, string | null>,
  mains: readonly ParameterUse[],
  scratch: pg.Client,
  choices: Choices,
): Promise<void> {
  const equal = mains.filter(
    ({ role, comparison, column, number }) =>
      role === "compared" && comparison === "equal" && column !== undefined && texts.has(number),
  );
  for (const uses of Map.groupBy(equal, ({ alias }) => alias).values()) {
    // The most skewed column leads: its typical and its rare value have been chosen with care.
    const [lead, ...rest] = uses.toSorted(
      (a, b) => (choices.get(b.number)?.share ?? 0) - (choices.get(a.number)?.share ?? 0),
    );
    const columns = rest.flatMap(({ column }) => column ?? []);
    const text = lead === undefined ? undefined : texts.get(lead.number);
    if (lead?.table === undefined || lead.column === undefined || typeof text !== "string")
      continue;
    if (columns.length === 0 || new Set(columns).size < columns.length) continue;
    const found = await companions(scratch, lead.table, { column: lead.column, text }, columns);
    for (const { number, column } of rest) {
      const value = found?.get(column ?? "");
      if (value !== undefined) texts.set(number, value);
    }
  }
}

function heldColumns(catalog: Catalog, use: ParameterUse | undefined): ReadonlySet<string> {
  const keys = catalog.foreignKeys.filter(
    ({ schema, table }) => schema === use?.table?.schema && table === use.table.name,
  );
  return new Set(keys.flatMap(({ columns }) => columns));
}

export async function instancesOf(
  statement: Normalised,
  scratch: pg.Client,
  catalog: Catalog,
  reader: Reader,
): Promise<readonly Instance[]> {
  const { sql, node, from } = statement;
  const numbers = numbersIn(node);
  if (numbers.length === 0) {
    await scratch.query(`EXPLAIN ${sql}`);
    return [{ sql, share: 1 }];
  }
  const mains = numbers.map((number) => mainUse(number, statement.uses));
  const likely = (number: number) => {
    const use = mains.find((one) => one.number === number);
    return use?.table?.columns.find(({ name }) => name === use.column)?.type ?? "text";
  };
  const types = await typesOf(scratch, preparable(sql, node), {
    likely,
    added: addedIn(node),
  });
  const choices = await choicesOf(mains, types, reader);
  if ("DeleteStmt" in node) await spareParents(mains, scratch, catalog, choices);
  const writes = mains.filter(({ role }) => role === "inserted" || role === "set");
  const writing = await stored(scratch, writes, heldColumns(catalog, writes[0]));

  const textWith = async (kind: "typical" | "rare" | "constant"): Promise<string> => {
    const texts = new Map<number, string | null>();
    for (const use of mains) {
      const choice = kind === "constant" ? undefined : choices.get(use.number);
      const text = writing.has(use)
        ? writing.get(use)
        : ((kind === "rare" ? choice?.rare : undefined) ?? choice?.typical);
      if (text !== undefined) texts.set(use.number, text);
    }
    if (kind !== "constant") await together(texts, mains, scratch, choices);
    const values = new Map<number, Value>();
    for (const number of numbers) {
      const type = types[number - 1];
      if (type === undefined) continue;
      const text = texts.has(number) ? (texts.get(number) ?? null) : constantOf(type);
      values.set(number, { text, type: type.name });
    }
    return substitute(sql, node, values, from);
  };

  const typical = await textWith("typical");
  try {
    await scratch.query(`EXPLAIN ${typical}`);
  } catch (error) {
    if (!isAnswer(error)) throw error;
    const constant = await textWith("constant");
    await scratch.query(`EXPLAIN ${constant}`);
    return [{ sql: constant, share: 1 }];
  }
  const shares = [...choices.values()].flatMap(({ rare, share }) =>
    rare === undefined || share === undefined ? [] : [share],
  );
  if (shares.length === 0) return [{ sql: typical, share: 1 }];
  const rare = await textWith("rare");
  if (rare === typical) return [{ sql: typical, share: 1 }];
  await scratch.query(`EXPLAIN ${rare}`);
  const share = Math.min(...shares);
  return [
    { sql: typical, share },
    { sql: rare, share: 1 - share },
  ];
}
