/** Documents: jsonb, arrays, full text, trigrams. */
import { type Schema, share, skewed, templates, whole } from "./schema.ts";

const WORDS =
  "river stone window harbour letter winter copper garden signal mirror ladder engine candle forest planet bridge silver anchor valley pocket".split(
    " ",
  );
const words = `ARRAY['${WORDS.join("','")}']`;

export const articles: Schema = {
  name: "articles",
  rows: 16_000,
  setup: (rows) => [
    `CREATE TABLE articles (id int PRIMARY KEY, title text NOT NULL, body tsvector NOT NULL,
       tags text[] NOT NULL, scores int[] NOT NULL, meta jsonb NOT NULL, author text NOT NULL,
       published_at timestamp)`,
    `INSERT INTO articles SELECT n,
       (${words})[1 + ${skewed(1, 20)}] || ' ' || (${words})[1 + ${whole(2, 20)}] || ' ' || substr(md5(n::text), 1, 8),
       to_tsvector('simple', (${words})[1 + ${skewed(3, 20)}] || ' ' || (${words})[1 + ${whole(4, 20)}] || ' w' || ${whole(5, 4_000)}),
       ARRAY['t' || ${skewed(6, 500)}, 't' || ${whole(7, 500)}], ARRAY[${whole(8, 5_000)}, ${skewed(9, 90)}],
       jsonb_build_object('lang', (ARRAY['de','en','fr'])[1 + ${skewed(10, 3)}], 'isbn', md5((n * 7)::text),
         'pages', ${whole(11, 900)}) || CASE WHEN ${share(12)} < 0.01 THEN '{"draft": true}'::jsonb ELSE '{}'::jsonb END,
       'a' || ${skewed(13, 900)}, CASE WHEN ${share(14)} < 0.9 THEN timestamp '2020-01-01' + ${whole(15, 2_000)} * interval '1 day' END
     FROM generate_series(1, ${rows}) AS n`,
    `CREATE TABLE comments (id int PRIMARY KEY, article_id int NOT NULL, line text NOT NULL, votes int NOT NULL, extra jsonb)`,
    `INSERT INTO comments SELECT n, 1 + ${skewed(16, rows)}, (${words})[1 + ${whole(17, 20)}] || ' ' || md5((n * 3)::text),
       ${skewed(18, 1_000)}, CASE WHEN ${share(19)} < 0.3 THEN jsonb_build_object('ip', ${whole(20, 3_000)}, 'flag', ${whole(21, 4)}) END
     FROM generate_series(1, ${rows * 2}) AS n`,
  ],
  templates: templates("articles", {
    "with a tag": (r) => `SELECT id, title FROM articles WHERE tags @> ARRAY['t${r.int(0, 499)}']`,
    "with one of some tags": (r) =>
      `SELECT id FROM articles WHERE tags && ARRAY['t${r.int(100, 499)}', 't${r.int(100, 499)}']`,
    "with a frequent tag": (r) =>
      `SELECT count(*) FROM articles WHERE tags @> ARRAY['t${r.int(0, 2)}']`,
    "with a score": (r) => `SELECT id FROM articles WHERE scores @> ARRAY[${r.int(0, 4_999)}]`,
    "any score is": (r) => `SELECT id FROM articles WHERE ${r.int(0, 4_999)} = ANY (scores)`,
    "by a word": (r) =>
      `SELECT id, title FROM articles WHERE body @@ to_tsquery('simple', 'w${r.int(0, 3_999)}')`,
    "by a frequent word": (r) =>
      `SELECT count(*) FROM articles WHERE body @@ to_tsquery('simple', '${r.pick(WORDS.slice(0, 4))}')`,
    "by two words": (r) =>
      `SELECT id FROM articles WHERE body @@ to_tsquery('simple', '${r.pick(WORDS)} & ${r.pick(WORDS)}')`,
    "in a language": (r) =>
      `SELECT count(*) FROM articles WHERE meta @> '{"lang": "${r.pick(["de", "en", "fr"])}"}'`,
    "by isbn, contained": (r) =>
      `SELECT id FROM articles WHERE meta @> jsonb_build_object('isbn', md5('${r.int(1, 16_000) * 7}'))`,
    "by isbn, extracted": (r) =>
      `SELECT id FROM articles WHERE meta->>'isbn' = md5('${r.int(1, 16_000) * 7}')`,
    "of so many pages": (r) =>
      `SELECT id FROM articles WHERE (meta->>'pages')::int > ${r.pick([100, 890])}`,
    drafts: () => "SELECT id FROM articles WHERE meta ? 'draft'",
    "has a key that all have": () => "SELECT count(*) FROM articles WHERE meta ? 'lang'",
    "title with a part": (r) =>
      `SELECT id FROM articles WHERE title LIKE '%${r.int(1_000, 9_999)}%'`,
    "title with a word, whatever case": (r) =>
      `SELECT count(*) FROM articles WHERE title ILIKE '%${r.pick(WORDS)}%'`,
    "title with a part, whatever case": (r) =>
      `SELECT id FROM articles WHERE title ILIKE '%${r.pick(["A", "B", "C"])}${r.int(100, 999)}%'`,
    "title begins": (r) =>
      `SELECT id FROM articles WHERE title LIKE '${r.pick(WORDS)} ${r.pick(["s", "b", "g"])}%'`,
    "of an author": (r) => `SELECT id, title FROM articles WHERE author = 'a${r.int(0, 899)}'`,
    "newest of an author": (r) =>
      `SELECT id, title FROM articles WHERE author = 'a${r.int(0, 899)}' ORDER BY published_at DESC NULLS LAST LIMIT 3`,
    "never published": () => "SELECT id FROM articles WHERE published_at IS NULL",
    "comments of an article": (r) =>
      `SELECT * FROM comments WHERE article_id = ${r.int(1, 16_000)}`,
    "comments of a tag's articles": (r) =>
      `SELECT c.id FROM articles a JOIN comments c ON c.article_id = a.id WHERE a.tags @> ARRAY['t${r.int(0, 499)}']`,
    "comments of an address": (r) =>
      `SELECT id FROM comments WHERE extra @> '{"ip": ${r.int(0, 2_999)}}'`,
    "comments of a flag": (r) =>
      `SELECT count(*) FROM comments WHERE extra @> '{"flag": ${r.int(0, 3)}}'`,
    "comments like": (r) => `SELECT id FROM comments WHERE line LIKE '%${r.int(10_000, 99_999)}%'`,
    "comments with votes": (r) =>
      `SELECT id FROM comments WHERE votes > ${r.pick([10, 700, 990])} ORDER BY votes DESC`,
    "best comments of an article": (r) =>
      `SELECT id FROM comments WHERE article_id = ${r.int(1, 200)} ORDER BY votes DESC LIMIT 3`,
  }),
};
