import type { Statement } from "../contract.ts";
import { build, expectEachPays, expectWellFormed } from "./advice.ts";
import { check, connected, digest, drawn, load, startAdvisor } from "./kit.ts";
import { blocksOf } from "./work.ts";

const ROWS = 12_000;
/** How many times fewer blocks a statement touches that an index is for. */
const FEWER = 5;

export default check({
  title:
    "documents, lists, texts, ranges and places get the kind of index that knows their operators",
  points: 4,
  concept: "operator classes",
  traps: ["wrong-operator-class"],
  engines: { target: {}, scratch: {} },
  nodes: ["a"],
  dependsOn: ["helps"],
  hints: [
    "A B-tree knows <, = and >. Which operators do these statements use, and which operator classes have them?",
    "jsonb_path_ops has @> and no ?; LIKE 'x%' wants text_pattern_ops where the collation isn't C; LIKE '%x%' gin_trgm_ops; @@, && and @> of arrays GIN; && of ranges and <-> GiST.",
  ],
  async run(t) {
    const { random } = t;
    const salt = random.int(1, 1e9);
    const column = () => `${random.word()}_${random.int(10, 99)}`;
    const docs = `public.${column()}`;
    const bookings = `public.${column()}`;
    const [facts, wide, tags, title, body, code] = Array.from({ length: 6 }, column);
    const [during, place, pad] = Array.from({ length: 3 }, column);
    const [key, mark, stem] = [random.word(5), random.word(5), random.word(7)];
    await load(t, [
      "CREATE EXTENSION IF NOT EXISTS pg_trgm",
      `CREATE TABLE ${docs} (id int PRIMARY KEY, ${facts} jsonb NOT NULL, ${wide} jsonb NOT NULL, ${tags} text[] NOT NULL,
         ${title} text COLLATE "und-x-icu" NOT NULL, ${body} text NOT NULL, ${code} text NOT NULL, ${pad} text NOT NULL)`,
      `INSERT INTO ${docs} SELECT i,
         jsonb_build_object('${key}' || ${drawn(salt, 500)}, 1, 'kind', ${drawn(salt + 1, 400)}),
         jsonb_build_object('of', ${drawn(salt + 2, 3_000)}, 'by', ${drawn(salt + 3, 50)}),
         ARRAY['${mark}' || ${drawn(salt + 4, 600)}, 'all' || ${drawn(salt + 5, 3)}],
         ${digest(salt + 6)}, '${stem}' || ${drawn(salt + 7, 900)} || ' written in ' || ${drawn(salt + 8, 30)},
         ${digest(salt + 9)}, repeat(${digest(salt + 10)}, 3)
         FROM generate_series(1, ${ROWS}) AS i`,
      `CREATE TABLE ${bookings} (id int PRIMARY KEY, ${during} int4range NOT NULL, ${place} point NOT NULL, ${pad} text NOT NULL)`,
      `INSERT INTO ${bookings} SELECT i, int4range(start, start + 5), point(${drawn(salt + 11, 10_000)}, ${drawn(salt + 12, 10_000)}),
         repeat(${digest(salt + 13)}, 3)
         FROM generate_series(1, ${ROWS}) AS i, LATERAL (SELECT ${drawn(salt + 14, 1_000_000)}::int AS start) AS s`,
    ]);
    await using target = await connected(t, "target");
    const { rows } = await target.query<{ title: string; code: string }>(
      `SELECT left(${title}, 5) AS title, substr(${code}, 9, 8) AS code FROM ${docs} WHERE id = $1`,
      [random.int(1, ROWS)],
    );
    const from = random.int(1_000, 900_000);
    const where = {
      "a key of a document": `${facts} ? '${key}${random.int(0, 499)}'`,
      "a part of the same document": `${facts} @> '{"kind": ${random.int(0, 399)}, "${key}${random.int(0, 499)}": 1}'`,
      "a part of a document": `${wide} @> '{"of": ${random.int(0, 2_999)}}'`,
      "an element of a list": `${tags} @> ARRAY['${mark}${random.int(0, 599)}']`,
      "how a text begins": `${title} LIKE '${rows[0]?.title}%'`,
      "what is in a text, in whatever case": `${code} ILIKE '%${rows[0]?.code.toUpperCase()}%'`,
      "a word of a text": `to_tsvector('simple', ${body}) @@ to_tsquery('simple', '${stem}${random.int(0, 899)}')`,
    };
    const asked = new Map<string, string>([
      ...Object.entries(where).map(
        ([what, condition]) => [what, `SELECT * FROM ${docs} WHERE ${condition}`] as const,
      ),
      [
        "ranges that overlap",
        `SELECT * FROM ${bookings} WHERE ${during} && int4range(${from}, ${from + 20})`,
      ],
      [
        "the nearest",
        `SELECT * FROM ${bookings} ORDER BY ${place} <-> point(${random.int(0, 10_000)}, ${random.int(0, 10_000)}) LIMIT 5`,
      ],
    ]);
    const statements: Statement[] = random.shuffle(
      [...asked.values()].map((sql) => ({ sql, calls: random.int(50, 150) })),
    );

    const a = await startAdvisor(t);
    const advice = await a.advise({ statements });

    await expectWellFormed(t, advice, statements);
    t.equal(advice.skipped, [], "nothing is skipped of what can be understood");
    const before = await blocksOf(target, [...asked.values()]);
    const built = await build(t, target, advice.create);
    for (const table of [docs, bookings]) await target.query(`ANALYZE ${table}`);
    const after = await blocksOf(target, [...asked.values()]);
    for (const [at, what] of [...asked.keys()].entries()) {
      const [was = 0, is = 0] = [before[at], after[at]];
      t.ok(is * FEWER <= was, `an index finds ${what}`, {
        expected: `at most ${Math.floor(was / FEWER)} blocks instead of ${was}`,
        received: `${is} blocks: ${asked.get(what)}`,
      });
    }
    await expectEachPays(t, target, built, statements);
  },
});
