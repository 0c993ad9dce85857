/** Types of a statement's parameters, and a constant of each. */
import type pg from "pg";

export interface ParameterType {
  /** As `regtype` writes it. */
  readonly name: string;
  /** `pg_type.typcategory`. */
  readonly category: string;
  /** The first label of an enum. */
  readonly label: string | null;
}

const STATEMENT = "index_advisor_statement";
/** No such operator. */
const UNDEFINED_FUNCTION = "42883";
const UNKNOWN = "unknown";
const SYNTAX_ERROR = "42601";
/** Nothing says the type, or not in time. */
const INDETERMINATE: readonly unknown[] = ["42P18", "42P08"];

const TYPES = `
SELECT format_type(t.oid, NULL) AS name, t.typcategory AS category,
  (SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder LIMIT 1) AS label
FROM pg_prepared_statements p, unnest(p.parameter_types) WITH ORDINALITY AS u (type, n)
JOIN pg_type t ON t.oid = u.type
WHERE p.name = '${STATEMENT}' ORDER BY u.n`;

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** All in one round trip; where it is refused, nothing is prepared. */
async function described(
  scratch: pg.Client,
  sql: string,
  declared: readonly string[],
): Promise<readonly ParameterType[]> {
  const list = declared.length === 0 ? "" : ` (${declared.join(", ")})`;
  // A comment may end the text.
  const results: unknown = await scratch.query(
    `PREPARE ${STATEMENT}${list} AS ${sql}\n; ${TYPES}; DEALLOCATE ${STATEMENT}`,
  );
  const [, types] = results as [unknown, pg.QueryResult<ParameterType>];
  return types.rows;
}

function declare(declared: string[], number: number, type: string): void {
  while (declared.length < number) declared.push(UNKNOWN);
  declared[number - 1] = type;
}

/**
 * `$1 IS NULL` says nothing of the type, and `date - $1` says the wrong one, another date: such parameters
 * are declared.
 */
async function declaredOf(
  scratch: pg.Client,
  sql: string,
  hints: TypeHints,
): Promise<readonly ParameterType[]> {
  const declared: string[] = [];
  const isDeclared = (number: number) => (declared[number - 1] ?? UNKNOWN) !== UNKNOWN;
  for (;;) {
    try {
      return await described(scratch, sql, declared);
    } catch (error) {
      const code = codeOf(error);
      const found = /\$(\d+)/.exec(error instanceof Error ? error.message : "")?.[1];
      const days = hints.added.filter((number) => !isDeclared(number));
      if (INDETERMINATE.includes(code) && found !== undefined && !isDeclared(Number(found)))
        declare(declared, Number(found), hints.likely(Number(found)));
      else if (code === UNDEFINED_FUNCTION && days.length > 0)
        for (const number of days) declare(declared, number, "integer");
      else throw error;
    }
  }
}

/** For parameters that the server can tell no type for. */
export interface TypeHints {
  likely(number: number): string;
  /** Those that are added to something, or taken from it. */
  readonly added: readonly number[];
}

/**
 * @param texts of one statement; the first without a syntax error counts
 * @returns by number, from `$1` on
 * @throws pg's errors where the server accepts none
 */
export async function typesOf(
  scratch: pg.Client,
  texts: readonly [string, string],
  hints: TypeHints,
): Promise<readonly ParameterType[]> {
  try {
    return await declaredOf(scratch, texts[0], hints);
  } catch (error) {
    if (codeOf(error) !== SYNTAX_ERROR) throw error;
    return declaredOf(scratch, texts[1], hints);
  }
}

const BY_NAME: Readonly<Record<string, string>> = {
  boolean: "true",
  interval: "1 day",
  uuid: "00000000-0000-4000-8000-000000000000",
  json: "{}",
  jsonb: "{}",
  jsonpath: "$",
  regconfig: "english",
  inet: "127.0.0.1",
  cidr: "127.0.0.0/8",
  point: "(0,0)",
  box: "((0,0),(1,1))",
  bytea: "\\x00",
  tsquery: "a",
  tsvector: "a",
  "time without time zone": "12:00",
  "time with time zone": "12:00+00",
};

const BY_CATEGORY: Readonly<Record<string, string>> = {
  N: "1",
  S: "a",
  D: "2025-01-01",
  A: "{}",
  R: "empty",
};

/** Some constant of that type, where nothing says which; `null` for types without one. */
export function constantOf({ name, category, label }: ParameterType): string | null {
  return label ?? BY_NAME[name] ?? BY_CATEGORY[category] ?? null;
}
