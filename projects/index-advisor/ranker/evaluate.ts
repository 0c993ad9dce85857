/**
 * `pnpm --filter @db-katas/index-advisor ranker:evaluate [splits]`: the ranker against the planner's cost
 * alone, on templates that it never saw; each split grows a model of its own.
 */
import { mean } from "d3-array";
import { type DataRow, readData } from "./data.ts";
import { requestOf, sides, unasked } from "./examples.ts";
import { type Judged, judgeOrder, type Order, whatIf } from "./judge.ts";
import { grow } from "./python.ts";

const SPLITS = Number(process.argv[2] ?? 8);
const data = readData();
const costRatioAt = data.features.indexOf("costRatio");

/** After it was really built: the planner's best word on any method, and the dearest. */
const built = whatIf(({ costBefore, costAfter }) => Math.log10(costAfter / costBefore));
const pretended = whatIf(({ values }) => values[costRatioAt] ?? Number.NaN);

const judged: Record<string, Judged[]> = {};
const note = (name: string, rows: readonly DataRow[], order: Order) => {
  judged[name] ??= [];
  judged[name].push(judgeOrder(rows, order));
};
for (let seed = 1; seed <= SPLITS; seed++) {
  const { train, test } = await sides(data, seed);
  const rows = test.filter(({ proposed }) => proposed);
  const asked = rows.flatMap((row) => [row.values, unasked(data, row)]);
  const { predictions } = await grow(requestOf(data, train, asked, seed));
  const learnt = (which: 0 | 1): Order => {
    const score = new Map(rows.map((row, at) => [row, predictions[2 * at + which] ?? 0]));
    return {
      score: (row) => score.get(row) ?? 0,
      says: (row) => (score.get(row) ?? 0) >= 0.5,
      calls: (row) => (which === 0 ? pretended.calls(row) : 0),
    };
  };
  const withPlans = learnt(0);
  /** The ranker says whether, the planner how much. */
  const together: Order = {
    ...withPlans,
    score: (row) => {
      const gain = 1 - 10 ** (row.values[costRatioAt] ?? Number.NaN);
      return withPlans.score(row) * (Number.isNaN(gain) ? 1 : gain);
    },
  };
  for (const kind of ["all", "btree, hash, brin", "gin, gist"] as const) {
    const of = rows.filter(({ method }) => kind === "all" || kind.includes(method));
    note(`${kind}: what-if by HypoPG`, of, pretended);
    note(`${kind}: planner's cost, really built`, of, built);
    note(`${kind}: ranker, nothing asked`, of, learnt(1));
    note(`${kind}: ranker, with HypoPG's plans`, of, withPlans);
    note(`${kind}: ranker × HypoPG's gain`, of, together);
  }
}
const percent = (values: readonly number[]): string => {
  const finite = values.filter(Number.isFinite);
  return finite.length === 0 ? "–" : `${(100 * (mean(finite) ?? 0)).toFixed(0)} %`;
};
console.table(
  Object.fromEntries(
    Object.entries(judged).map(([name, each]) => [
      name,
      {
        precision: percent(each.map(({ precision }) => precision)),
        recall: percent(each.map(({ recall }) => recall)),
        "right order": percent(each.map(({ rightOrder }) => rightOrder)),
        "regret, first 1": percent(each.map(({ regret }) => regret(1))),
        "first 3": percent(each.map(({ regret }) => regret(3))),
        "calls a statement": (mean(each.map(({ calls }) => calls)) ?? 0).toFixed(1),
      },
    ]),
  ),
);
