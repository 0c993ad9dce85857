/** Text of SQL: names, literals, and the mark by which an advisor knows its own statements again. */

/** pg_stat_statements keeps comments, so `collect` finds this in whatever an advisor has asked. */
export const MARK = "/* index-advisor:extend */";

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export const qualified = (schema: string, name: string): string =>
  `${quoted(schema)}.${quoted(name)}`;

export const literal = (value: string): string => {
  const text = `'${value.replaceAll("'", "''")}'`;
  // Without the E a server with standard_conforming_strings off would read a backslash as an escape.
  return value.includes("\\") ? ` E${text.replaceAll("\\", "\\\\")}` : text;
};

/** Whether two lists hold the same, or the first is how the second begins. */
export const begins = <T>(short: readonly T[], long: readonly T[]): boolean =>
  short.length <= long.length && short.every((item, at) => item === long[at]);
