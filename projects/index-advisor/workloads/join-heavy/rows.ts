import { arrayOf, drawsFrom } from "../draws.ts";
import type { Size } from "../workload.ts";
import { COMPANY_KINDS, COUNTRIES, GENRES, INFO_TYPES, KINDS, ROLES } from "./words.ts";

/** At scale 1. */
const AT_ONE = { film: 500_000, person: 800_000, company: 60_000, keyword: 50_000 };

export type Counts = Readonly<Record<keyof typeof AT_ONE, number>>;

export function countsAt(scale: number): Counts {
  const of = (count: number) => Math.max(100, Math.round(count * scale));
  return {
    film: of(AT_ONE.film),
    person: of(AT_ONE.person),
    company: of(AT_ONE.company),
    keyword: of(AT_ONE.keyword),
  };
}

/** Rows of a film on average. */
const PER_FILM = { credit: 8, produced: 2, tagged: 4, fact: 3 };

export const SCHEMA = `
CREATE TABLE kind (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE role (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE info_type (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE film (
  id integer PRIMARY KEY, kind_id integer NOT NULL, title text NOT NULL, year integer, series_id integer,
  episode integer);
CREATE TABLE person (id integer PRIMARY KEY, name text NOT NULL, gender char(1), born integer);
CREATE TABLE company (id integer PRIMARY KEY, name text NOT NULL, country text);
CREATE TABLE keyword (id integer PRIMARY KEY, word text NOT NULL);
CREATE TABLE credit (
  id integer PRIMARY KEY, film_id integer NOT NULL, person_id integer NOT NULL, role_id integer NOT NULL,
  position integer, note text);
CREATE TABLE produced (
  id integer PRIMARY KEY, film_id integer NOT NULL, company_id integer NOT NULL, kind text NOT NULL, note text);
CREATE TABLE tagged (id integer PRIMARY KEY, film_id integer NOT NULL, keyword_id integer NOT NULL);
CREATE TABLE fact (id integer PRIMARY KEY, film_id integer NOT NULL, type_id integer NOT NULL, value text NOT NULL);
`;

/**
 * What makes planners err: a few people are in most films, episodes are new and have a series, a
 * company's country decides what it does, facts' values depend on their type.
 */
export function rowsOf({ scale, seed }: Size): readonly string[] {
  const count = countsAt(scale);
  const { bits, integer, pick, share, skewed } = drawsFrom(seed);
  const series = (last: number) => `generate_series(1, ${last}) AS i`;
  const film = (name: string) => skewed("i", name, count.film, 1.6);
  const table = (name: string, texts: readonly string[]) =>
    `INSERT INTO ${name} SELECT i, (${arrayOf(texts)})[i] FROM ${series(texts.length)}`;
  return [
    table("kind", KINDS),
    table("role", ROLES),
    table("info_type", INFO_TYPES),
    `INSERT INTO film SELECT i, kind,
       initcap(${pick("i", "first", FIRST)}) || ' ' || ${pick("i", "second", SECOND)} || ' ' || i % 997,
       CASE WHEN ${share("i", "undated")} > 0.03 THEN CASE kind WHEN 2 THEN 2024 - ${skewed("i", "year of episode", 30)}
         ELSE 2025 - ${skewed("i", "year", 110, 2)} END END,
       CASE kind WHEN 2 THEN ${skewed("i", "series", Math.ceil(count.film / 50), 2)} END,
       CASE kind WHEN 2 THEN ${skewed("i", "episode", 200, 2)} END
     FROM ${series(count.film)}, LATERAL (SELECT ${skewed("i", "kind", KINDS.length, 1.7)} AS kind) AS d`,
    `INSERT INTO person SELECT i, ${pick("i", "family", FAMILY)} || ', ' || initcap(${pick("i", "given", FIRST)}) || ' ' || i % 1009,
       CASE WHEN ${share("i", "unknown")} > 0.2 THEN ${pick("i", "gender", ["m", "f", "m"])} END,
       2005 - ${skewed("i", "born", 100, 1.5)}
     FROM ${series(count.person)}`,
    `INSERT INTO company SELECT i, initcap(${pick("i", "company", FAMILY)}) || ' ' || i || ' Pictures',
       (${arrayOf(COUNTRIES)})[${skewed("i", "country", COUNTRIES.length)}]
     FROM ${series(count.company)}`,
    `INSERT INTO keyword SELECT i, ${pick("i", "word", SECOND)} || '-' || i FROM ${series(count.keyword)}`,
    // Frequent people act; the others also write and edit.
    `INSERT INTO credit SELECT i, ${film("credited")}, person,
       CASE WHEN person <= ${count.person / 20} THEN 1 + ${bits("i", "acts")} % 2 ELSE ${skewed("i", "role", ROLES.length, 1.3)} END,
       CASE WHEN ${share("i", "listed")} < 0.6 THEN ${skewed("i", "position", 60)} END,
       CASE WHEN ${share("i", "noted")} < 0.15 THEN ${pick("i", "note", ["(voice)", "(uncredited)", "(as himself)"])} END
     FROM ${series(count.film * PER_FILM.credit)}, LATERAL (SELECT ${skewed("i", "person", count.person)} AS person) AS d`,
    `INSERT INTO produced SELECT i, ${film("produced")}, company,
       (${arrayOf(COMPANY_KINDS)})[1 + (company + ${skewed("i", "does", 2, 3)} - 1) % ${COMPANY_KINDS.length}],
       CASE WHEN ${share("i", "remarked")} < 0.3 THEN '(' || ${integer("i", "since", 1950, 2024)} || ') (' || ${pick("i", "medium", ["TV", "theatre", "DVD"])} || ')' END
     FROM ${series(count.film * PER_FILM.produced)}, LATERAL (SELECT ${skewed("i", "company", count.company)} AS company) AS d`,
    `INSERT INTO tagged SELECT i, ${film("tagged")}, ${skewed("i", "keyword", count.keyword, 4)}
     FROM ${series(count.film * PER_FILM.tagged)}`,
    `INSERT INTO fact SELECT i, ${film("told")}, type, CASE type
         WHEN 1 THEN (${arrayOf(GENRES)})[${skewed("i", "genre", GENRES.length, 2)}]
         WHEN 2 THEN (${integer("i", "rating", 10, 99)} / 10.0)::text
         WHEN 3 THEN ${skewed("i", "votes", 2_000_000, 6)}::text
         WHEN 5 THEN (${arrayOf(COUNTRIES)})[${skewed("i", "language", COUNTRIES.length)}]
         ELSE 'v' || ${bits("i", "value")} % 10007 END
     FROM ${series(count.film * PER_FILM.fact)}, LATERAL (SELECT ${skewed("i", "type", INFO_TYPES.length, 1.5)} AS type) AS d`,
  ];
}

const FIRST =
  "anna bruno clara david elsa felix greta hugo ida jonas karla leo mara nils olga paul rosa simon tilda viktor".split(
    " ",
  );
export const SECOND =
  "autumn bridge castle desert evening forest garden harbour island journey kingdom letter mirror night ocean promise river shadow tower winter".split(
    " ",
  );
const FAMILY =
  "abel becker castell duran ekberg fabian graf holm ibsen jansen keller lind moreau novak olsen petrov rossi sato tanaka weber".split(
    " ",
  );
