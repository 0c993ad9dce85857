import { deviation } from "d3-array";
import { expect, it } from "vitest";
import { DEFAULT_TURNS, pairedRatio } from "../src/index.ts";
import { noisyTurns } from "./noise.ts";

/** As a claim is judged, with fewer resamples: these here are thousands. */
const options = { resamples: 1_000 };

function shareCalledDifferent(comparisons: number, effect: number): number {
  let different = 0;
  for (let seed = 1; seed <= comparisons; seed++) {
    const { ours, theirs } = noisyTurns(DEFAULT_TURNS, effect, seed);
    const { low, high } = pairedRatio(ours, theirs, { ...options, seed });
    if (low > 1 || high < 1) different++;
  }
  return different / comparisons;
}

it("the noise is at least what was seen on a busy machine", () => {
  const { ours, theirs } = noisyTurns(10_000, 1, 1);
  const logs = ours.map((value, turn) => Math.log(value / (theirs[turn] ?? Number.NaN)));
  expect(deviation(logs)).toBeGreaterThan(0.2);
});

it("2,000 comparisons of equals: called different at most 6.5 % of the time", () => {
  const share = shareCalledDifferent(2_000, 1);
  console.log(`A/A: ${(share * 100).toFixed(1)} % of 2,000 called different`);
  expect(share).toBeLessThanOrEqual(0.065);
});

it("a true difference of 10 % is found at least 80 % of the time with the default number of turns", () => {
  const share = shareCalledDifferent(1_000, 1.1);
  console.log(`10 %: ${(share * 100).toFixed(1)} % of 1,000 found`);
  expect(share).toBeGreaterThanOrEqual(0.8);
});
