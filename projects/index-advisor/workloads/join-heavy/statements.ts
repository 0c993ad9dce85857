import { randomFrom } from "@db-katas/grading";
import type { Statement } from "../../contract.ts";
import type { Size } from "../workload.ts";
import { countsAt, SECOND } from "./rows.ts";
import { COUNTRIES, GENRES } from "./words.ts";

/** What a catalogue's pages ask often, what its editors ask now and then, and what a report asks at night. */
export function statementsOf({ scale, seed }: Size): readonly Statement[] {
  const random = randomFrom(seed);
  const count = countsAt(scale);
  const year = random.int(1990, 2010);
  const country = random.pick(COUNTRIES.slice(1));
  const word = random.pick(SECOND);
  const genre = random.pick(GENRES);
  const film = random.int(1, count.film);
  const rare = random.int(Math.ceil(count.person / 2), count.person);
  const busy = random.int(5, 20);
  const keyword = random.int(10, 100);
  const pages: readonly (readonly [calls: number, sql: string])[] = [
    // A film's page.
    [
      400,
      `SELECT p.id, p.name, r.name, c.position FROM credit c JOIN person p ON p.id = c.person_id
JOIN role r ON r.id = c.role_id WHERE c.film_id = ${film} ORDER BY c.position`,
    ],
    [
      400,
      `SELECT k.word FROM tagged t JOIN keyword k ON k.id = t.keyword_id WHERE t.film_id = ${film}`,
    ],
    [
      400,
      `SELECT t.name, f.value FROM fact f JOIN info_type t ON t.id = f.type_id WHERE f.film_id = ${film}`,
    ],
    [
      200,
      `SELECT c.name, c.country, p.kind FROM produced p JOIN company c ON c.id = p.company_id WHERE p.film_id = ${film}`,
    ],
    // A person's page: of one whom few know, and of a star.
    [
      150,
      `SELECT f.id, f.title, f.year FROM credit c JOIN film f ON f.id = c.film_id
WHERE c.person_id = ${rare} ORDER BY f.year DESC NULLS LAST`,
    ],
    [
      20,
      `SELECT f.id, f.title, f.year FROM credit c JOIN film f ON f.id = c.film_id
WHERE c.person_id = ${busy} AND c.role_id = 1 ORDER BY f.year DESC LIMIT 20`,
    ],
    [
      30,
      `SELECT * FROM film WHERE series_id = ${random.int(1, 20)} AND episode = ${random.int(1, 40)} ORDER BY year`,
    ],
    [
      60,
      `SELECT id, title FROM film WHERE title = '${random.pick(["Anna", "Hugo", "Tilda"])} ${word} ${random.int(1, 996)}'`,
    ],
  ];
  const searches: readonly (readonly [calls: number, sql: string])[] = [
    [
      5,
      `SELECT f.title, f.year FROM film f JOIN tagged t ON t.film_id = f.id
WHERE t.keyword_id = ${keyword} AND f.year > ${year} AND f.kind_id = 1 ORDER BY f.year LIMIT 50`,
    ],
    [
      5,
      `SELECT min(f.title), count(*) FROM company c JOIN produced p ON p.company_id = c.id JOIN film f ON f.id = p.film_id
WHERE c.country = '${country}' AND p.kind = 'producer' AND f.year BETWEEN ${year} AND ${year + 2}`,
    ],
    [
      4,
      `SELECT count(DISTINCT f.id) FROM film f JOIN fact a ON a.film_id = f.id AND a.type_id = 1
JOIN fact b ON b.film_id = f.id AND b.type_id = 2 WHERE a.value = '${genre}' AND b.value > '9.5' AND f.year >= 2015`,
    ],
    [
      4,
      `SELECT p.name, count(*) FROM keyword k JOIN tagged t ON t.keyword_id = k.id JOIN credit c ON c.film_id = t.film_id
JOIN person p ON p.id = c.person_id WHERE k.word LIKE '${word}-${keyword % 10}%' AND c.role_id = 3 GROUP BY p.id ORDER BY 2 DESC LIMIT 10`,
    ],
    [
      3,
      `SELECT other.id, other.name, count(*) AS together FROM credit mine JOIN credit theirs ON theirs.film_id = mine.film_id
JOIN person other ON other.id = theirs.person_id WHERE mine.person_id = ${rare} AND other.id <> mine.person_id
GROUP BY other.id ORDER BY together DESC LIMIT 20`,
    ],
    [
      3,
      `SELECT f.title FROM film f WHERE f.kind_id = 1 AND f.year = ${year}
AND NOT EXISTS (SELECT FROM credit c WHERE c.film_id = f.id AND c.role_id = 3) ORDER BY f.title LIMIT 30`,
    ],
    [
      3,
      `SELECT f.title, p.name FROM film f JOIN credit c ON c.film_id = f.id JOIN person p ON p.id = c.person_id
JOIN produced d ON d.film_id = f.id JOIN company y ON y.id = d.company_id
WHERE c.note = '(voice)' AND p.gender = 'f' AND p.name LIKE 'sato%' AND y.country = '${country}' AND f.year > ${year}`,
    ],
    [
      2,
      `SELECT s.id, s.title, count(*) FROM film s JOIN film e ON e.series_id = s.id
WHERE s.kind_id = 3 AND e.year BETWEEN ${year} AND ${year + 10} GROUP BY s.id HAVING count(*) > 5 ORDER BY 3 DESC`,
    ],
    [
      2,
      `SELECT k.word, count(*) FROM film f JOIN tagged t ON t.film_id = f.id JOIN keyword k ON k.id = t.keyword_id
WHERE f.kind_id = 6 AND f.year > ${year} GROUP BY k.word ORDER BY 2 DESC LIMIT 25`,
    ],
    [
      1,
      `SELECT f.year, avg(r.value::numeric) FROM film f JOIN fact r ON r.film_id = f.id AND r.type_id = 2
JOIN fact g ON g.film_id = f.id AND g.type_id = 1 WHERE g.value = '${genre}' GROUP BY f.year ORDER BY f.year`,
    ],
    [
      1,
      `SELECT c.country, count(DISTINCT f.id) FROM company c JOIN produced p ON p.company_id = c.id
JOIN film f ON f.id = p.film_id JOIN tagged t ON t.film_id = f.id
WHERE f.kind_id = 1 AND t.keyword_id BETWEEN ${keyword} AND ${keyword + 5} GROUP BY c.country ORDER BY 2 DESC`,
    ],
  ];
  return [...pages, ...searches].map(([calls, sql]) => ({ sql, calls }));
}
