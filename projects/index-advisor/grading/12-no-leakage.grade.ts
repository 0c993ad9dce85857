import type { Split } from "../contract.ts";
import { type AdvisorContext, check, startAdvisor } from "./kit.ts";

const TEMPLATES = 20;
const EACH = 6;
/** What counts as about one in four. */
const [LEAST, MOST] = [0.05, 0.55];
/** … and of the mean of several splits: who draws each template by itself is four standard deviations away. */
const [LEAST_MEAN, MOST_MEAN] = [0.1, 0.42];

export default check({
  title: "statements of one template are on one side of the split, whatever their constants",
  points: 2,
  concept: "leakage",
  traps: ["template-leaks"],
  engines: { target: {}, scratch: {} },
  nodes: ["a", "b"],
  hints: [
    "A model that has seen `WHERE id = 7` has seen `where id  = 8`, too. What of a text is its template?",
    "The parser's fingerprint of a statement leaves out constants, white space, and how long a list is. Draw among fingerprints, not among statements.",
  ],
  async run(t) {
    const a = await startAdvisor(t);
    const templates = Array.from({ length: TEMPLATES }, (_, at) => template(t, at));
    const examples = t.random.shuffle([
      ...templates.flatMap((write, at) =>
        Array.from({ length: EACH }, () => ({ template: at, sql: write() })),
      ),
      // As a real workload has them: what can't be parsed is on one side as well.
      ...["<insufficient privilege>", "SELECT * FROM t WHERE x = 'cut o", ""].map((sql) => ({
        template: -1,
        sql,
      })),
    ]);
    const sql = examples.map((example) => example.sql);
    const seeds = Array.from({ length: 6 }, () => t.random.int(1, 1e9));
    const splits: Split[] = [];
    for (const seed of seeds) splits.push(await a.split(sql, seed));
    for (const split of splits) {
      expectWhole(t, split, sql.length);
      const share = split.test.length / sql.length;
      t.ok(share >= LEAST && share <= MOST, "about one in four is on the test side", {
        expected: `${LEAST * 100} % to ${Math.round(MOST * 100)} % of ${sql.length}`,
        received: `${split.test.length}`,
      });
      const test = new Set(split.test);
      for (const [at, write] of templates.entries()) {
        const own = examples.flatMap((each, position) => (each.template === at ? [position] : []));
        const there = own.filter((position) => test.has(position));
        t.ok(there.length === 0 || there.length === own.length, "a template is on one side only", {
          expected: `all of the ${own.length} statements like ${write()} on one side`,
          received: `${there.length} of them on the test side, as ${sql[there[0] ?? 0]}`,
        });
      }
    }
    const mean =
      splits.reduce((sum, { test }) => sum + test.length, 0) / sql.length / splits.length;
    t.ok(mean >= LEAST_MEAN && mean <= MOST_MEAN, "and on average, too, about one in four is", {
      expected: `${LEAST_MEAN * 100} % to ${MOST_MEAN * 100} %, of ${splits.length} splits`,
      received: `${Math.round(mean * 100)} %`,
    });
    t.ok(
      new Set(splits.map(({ test }) => [...test].sort((x, y) => x - y).join())).size > 1,
      "another seed divides otherwise",
      { expected: `not the same split for ${seeds.length} seeds`, received: "the same" },
    );
    const b = await startAdvisor(t, "b");
    t.equal(await b.split(sql, seeds[0] ?? 1), splits[0], "the same seed divides alike, anywhere");

    t.step("there are two templates only, one of them rare, and then one");
    const [often, rare] = t.random.shuffle(templates);
    if (!often || !rare) return;
    const two = t.random.shuffle([rare(), ...Array.from({ length: 9 }, () => often())]);
    const divided = await a.split(two, t.random.int(1, 1e9));
    expectWhole(t, divided, two.length);
    t.ok(
      divided.train.length > 0 && divided.test.length > 0,
      "with two templates no side is empty",
      {
        expected: "one template on each side",
        received: `train ${divided.train.length}, test ${divided.test.length}`,
      },
    );
    expectWhole(t, await a.split([], 1), 0);
    const one = await a.split([often(), often(), often()], t.random.int(1, 1e9));
    expectWhole(t, one, 3);
    t.ok(one.train.length === 0 || one.test.length === 0, "one template is not torn apart", {
      expected: "all on one side",
      received: `train ${one.train.length}, test ${one.test.length}`,
    });
  },
});

function expectWhole(t: AdvisorContext, { train, test }: Split, count: number): void {
  const positions = [...train, ...test].sort((a, b) => a - b);
  t.equal(
    positions,
    Array.from({ length: count }, (_, position) => position),
    "every position is on one side, and on one only",
  );
}

/** @returns what writes a statement of the template, each time with other constants and white space */
function template(t: AdvisorContext, at: number): () => string {
  const { random } = t;
  const [table, x, y] = [`${random.word()}_${at}`, random.word(), random.word()];
  const number = () => String(random.int(1, 1e6));
  const text = () =>
    `'${random.pick(["select 1", "O''Brien", "two  blanks", "a, b", "(", ""])}${random.word()}'`;
  const list = (value: () => string) =>
    Array.from({ length: random.int(1, 9) }, value).join(random.pick([",", ", "]));
  const shape = random.pick([
    () => `SELECT ${x} FROM ${table} WHERE ${y} = ${number()}`,
    () => `SELECT count(*) FROM ${table} WHERE ${x} = ${text()} AND ${y} > ${number()}`,
    () => `SELECT * FROM ${table} WHERE ${x} IN (${list(number)}) ORDER BY ${y} LIMIT ${number()}`,
    () => `SELECT * FROM ${table} WHERE ${x} IN (${list(text)}) AND ${y} = ${text()}`,
    () => `UPDATE ${table} SET ${x} = ${text()} WHERE ${y} = ${number()}`,
    () => `DELETE FROM ${table} WHERE ${x} BETWEEN ${number()} AND ${number()}`,
  ]);
  return () => disguised(t, shape());
}

/** The same statement in another hand: only what is outside of quotes may change. */
function disguised({ random }: AdvisorContext, sql: string): string {
  const blank = () => random.pick([" ", " ", "  ", "\n", "\t"]);
  const cased = random.pick([
    (word: string) => word,
    (word: string) => word.toLowerCase(),
    (word: string) => word[0] + word.slice(1).toLowerCase(),
  ]);
  return sql
    .split(/('(?:[^']|'')*')/)
    .map((part) =>
      part.startsWith("'") ? part : part.replace(/\b[A-Z]+\b/g, cased).replace(/ /g, blank),
    )
    .join("");
}
