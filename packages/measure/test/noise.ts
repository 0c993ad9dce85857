import { randomFrom } from "../src/stats/random.ts";

/**
 * Turns of two contenders on a machine that others use too. Each measurement is, in logarithms,
 *
 *     effect + drift + trend + jitter + busy
 *
 * - `drift`: what the machine does over some turns: an autoregressive process, 0.9 of what it was plus
 *   5 %, so that neighbours are alike and what is far apart is off by about 11 %.
 * - `trend`: a straight line over the whole experiment, of ± 30 % (a heap that grows, a disk that fills).
 * - `jitter`: 8 %, of each measurement alone.
 * - `busy`: 8 % of measurements meet something else on the machine, and take 1.2 times as long or more,
 *   2 on average.
 *
 * The ratio of two neighbours then strays by 25 % (standard deviation), and of 15 turns the least is
 * about 0.63 and the greatest 1.6. What was measured on two cores used by others is milder: 0.71 to
 * 1.29, and 1.04 to 1.81 around 1.31, in 15 turns each (session-failover's decision log).
 */
export function noisyTurns(turns: number, effect: number, seed: number) {
  const random = randomFrom(seed);
  const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const trend = (gauss() * 0.3) / (2 * turns);
  let drift = 0;
  let nth = 0;
  const measure = (factor: number): number => {
    drift = 0.9 * drift + 0.05 * gauss();
    const busy = random() < 0.08 ? Math.log(1.2 - 0.8 * Math.log(1 - random())) : 0;
    return Math.exp(Math.log(factor) + drift + trend * nth++ + 0.08 * gauss() + busy);
  };
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    if (turn % 2 === 0) ours.push(measure(effect));
    theirs.push(measure(1));
    if (turn % 2 === 1) ours.push(measure(effect));
  }
  return { ours, theirs };
}
