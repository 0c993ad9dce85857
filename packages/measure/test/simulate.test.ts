import { deviation } from "d3-array";
import { expect, it } from "vitest";
import { DEFAULT_TURNS, evaluate, pairedRatio, parseLog } from "../src/index.ts";
import { randomFrom } from "../src/stats/random.ts";
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

const CALLS = 200;

/** The p99 of a turn's calls: most are near each other, and 2 in 100 take eight times as long on average. */
function p99Of(scale: number, random: () => number): number {
  const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const slow = () => (random() < 0.02 ? 3 - 5 * Math.log(1 - random()) : 1);
  const calls = Float64Array.from(
    { length: CALLS },
    () => scale * Math.exp(0.4 * gauss()) * slow(),
  );
  return calls.sort()[Math.ceil(0.99 * CALLS) - 1] as number;
}

/** Share of experiments in which the p99 of one is found to be above, or else different, at all. */
function shareOfTails(experiments: number, ratio: number): { above: number; decided: number } {
  let [above, decided] = [0, 0];
  for (let n = 1; n <= experiments; n++) {
    // Neighbouring seeds begin alike.
    const seed = Math.imul(n, 2_654_435_761) >>> 1;
    const random = randomFrom(seed + 1);
    const { ours, theirs } = noisyTurns(DEFAULT_TURNS, ratio, seed);
    const tails = [ours, theirs].map((scales) => scales.map((scale) => p99Of(scale, random)));
    const { low, high } = pairedRatio(tails[0] ?? [], tails[1] ?? [], { resamples: 500, seed: n });
    if (low > 1) above++;
    if (low > 1 || high < 1) decided++;
  }
  const shares = { above: above / experiments, decided: decided / experiments };
  console.log(`p99, true ratio ${ratio}: decided ${(100 * shares.decided).toFixed(1)} %`);
  return shares;
}

it("1,000 comparisons of the p99 of equals: called different at most 6.5 % of the time", () => {
  expect(shareOfTails(1_000, 1).decided).toBeLessThanOrEqual(0.065);
});

it("a p99 that is half as high again is found at least 75 % of the time", () => {
  expect(shareOfTails(1_000, 1.5).above).toBeGreaterThanOrEqual(0.75);
});
