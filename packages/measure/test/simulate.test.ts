import { deviation } from "d3-array";
import { expect, it } from "vitest";
import { DEFAULT_TURNS, evaluate, parseLog } from "../src/index.ts";
import { noisyTurns } from "./noise.ts";
import { resultsOf } from "./results.ts";

/** Fewer than a claim gets: there are thousands of them here. */
const resamples = 1_000;
const [claim] = parseLog(
  "```claim\nid: differ\nexperiment: made-up\npredicate: cost(ours) > cost(theirs)\n```",
).claims.filter((each) => each.kind === "measured");

/** Share of experiments with that true ratio in which the claim that ours costs more gets such a verdict. */
function shareOf(verdicts: readonly string[], experiments: number, ratio: number): number {
  let hits = 0;
  for (let seed = 1; seed <= experiments; seed++) {
    const { ours, theirs } = noisyTurns(DEFAULT_TURNS, ratio, seed);
    const turns = ours.map((cost, turn) => ({
      ours: { cost },
      theirs: { cost: theirs[turn] ?? Number.NaN },
    }));
    const finding = claim && evaluate(claim, [resultsOf(turns)], { resamples, seed });
    if (finding && verdicts.includes(finding.verdict)) hits++;
  }
  const share = hits / experiments;
  console.log(`${verdicts.join(" or ")}: ${(100 * share).toFixed(1)} % of ${experiments}`);
  return share;
}

it("the noise is at least what was seen on a busy machine", () => {
  const { ours, theirs } = noisyTurns(10_000, 1, 1);
  const logs = ours.map((value, turn) => Math.log(value / (theirs[turn] ?? Number.NaN)));
  expect(deviation(logs)).toBeGreaterThan(0.2);
});

it("2,000 comparisons of equals: called different at most 6.5 % of the time", () => {
  expect(shareOf(["held", "falsified"], 2_000, 1)).toBeLessThanOrEqual(0.065);
});

it("a difference of 10 % is found at least 80 % of the time with the default number of turns", () => {
  expect(shareOf(["held"], 1_000, 1.1)).toBeGreaterThanOrEqual(0.8);
});
