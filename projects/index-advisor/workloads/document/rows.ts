import { arrayOf, drawsFrom } from "../draws.ts";
import type { Size } from "../workload.ts";

/** At scale 1. */
const AT_ONE = { article: 1_000_000, booking: 500_000, shop: 200_000 };

export type Counts = Readonly<Record<keyof typeof AT_ONE, number>>;

export function countsAt(scale: number): Counts {
  const of = (count: number) => Math.max(100, Math.round(count * scale));
  return { article: of(AT_ONE.article), booking: of(AT_ONE.booking), shop: of(AT_ONE.shop) };
}

export const ROOMS = 50;
export const SKUS = 5_000;

export const SCHEMA = `
CREATE TABLE article (
  id bigint PRIMARY KEY, title text NOT NULL, email text NOT NULL, attributes jsonb NOT NULL, tags text[] NOT NULL,
  body text NOT NULL, search tsvector GENERATED ALWAYS AS (to_tsvector('simple', body)) STORED,
  created_at timestamptz NOT NULL);
CREATE TABLE booking (
  id bigint PRIMARY KEY, room integer NOT NULL, during tstzrange NOT NULL, guest text NOT NULL, details jsonb NOT NULL);
CREATE TABLE shop (id bigint PRIMARY KEY, place point NOT NULL, name text NOT NULL, open int4range NOT NULL);
`;

export const COLOURS = ["black", "white", "grey", "blue", "red", "green", "brown", "violet"];
export const LABELS =
  "new sale repaired organic limited gift bulky fragile vegan local recycled imported".split(" ");

export function rowsOf({ scale, seed }: Size): readonly string[] {
  const count = countsAt(scale);
  const { bits, integer, pick, share, skewed } = drawsFrom(seed);
  const series = (last: number) => `generate_series(1, ${last}) AS i`;
  // Few syllables make many words, some much more frequent than others.
  const word = (row: string, name: string) =>
    `(${arrayOf(SYLLABLES)})[${skewed(row, `${name} 1`, SYLLABLES.length, 1.5)}]
       || (${arrayOf(SYLLABLES)})[${skewed(row, `${name} 2`, SYLLABLES.length, 1.5)}]
       || (${arrayOf(SYLLABLES)})[${skewed(row, `${name} 3`, SYLLABLES.length, 1.5)}]`;
  return [
    `INSERT INTO article (id, title, email, attributes, tags, body, created_at)
     SELECT i, initcap(${word("i", "title a")}) || ' ' || ${word("i", "title b")} || ' ' || ${word("i", "title c")},
       initcap(${word("i", "name")}) || i || '@Example.org',
       jsonb_build_object('sku', 'S' || ${integer("i", "sku", 1, SKUS)}, 'colour', (${arrayOf(COLOURS)})[${skewed("i", "colour", COLOURS.length, 2)}],
         'price', ${integer("i", "price", 100, 99_999)}, 'stock', jsonb_build_object('hall', ${integer("i", "hall", 1, 40)}, 'count', ${skewed("i", "stock", 500)}))
       || CASE WHEN ${share("i", "recalled")} < 0.002 THEN '{"recalled": true}' ELSE '{}' END::jsonb,
       ARRAY[(${arrayOf(LABELS)})[${skewed("i", "tag", LABELS.length, 2)}], 'supplier-' || ${integer("i", "supplier", 1, 2_000)}],
       body, timestamptz '2030-01-01 00:00Z' + i * interval '31536000 seconds' / ${count.article}
     FROM ${series(count.article)}, LATERAL (SELECT string_agg(${word("i * 32 + w", "body")}, ' ') AS body
       FROM generate_series(1, 6 + ${bits("i", "length")} % 8) AS w) AS d`,
    `INSERT INTO booking SELECT i, ${integer("i", "room", 1, ROOMS)}, tstzrange(since, since + ${skewed("i", "nights", 14, 2)} * interval '1 day'),
       initcap(${word("i", "guest")}), jsonb_build_object('channel', ${pick("i", "channel", ["web", "phone", "desk"])}, 'people', ${integer("i", "people", 1, 6)})
     FROM ${series(count.booking)}, LATERAL (SELECT timestamptz '2020-01-01 00:00Z' + ${integer("i", "since", 0, 3_650 * 24)} * interval '1 hour' AS since) AS d`,
    `INSERT INTO shop SELECT i, point(${share("i", "x")} * 1000, ${share("i", "y")} * 1000), initcap(${word("i", "shop")}) || ' shop',
       int4range(opens, opens + ${integer("i", "hours", 4, 12)})
     FROM ${series(count.shop)}, LATERAL (SELECT ${integer("i", "opens", 0, 12)} AS opens) AS d`,
  ];
}

export const SYLLABLES =
  "ba be bo da de do fa fe ga go ka ke ko la le li lo ma me mi mo na ne no pa pe ra re ri ro sa se si so ta te ti to va ve za zo".split(
    " ",
  );
