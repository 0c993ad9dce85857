/**
 * The upper limit of a one-sided 95 % confidence interval for a probability, of which `hits` were
 * seen in `runs`. It is the p at which seeing no more than that has a chance of 5 %: C. J. Clopper,
 * E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
 * Biometrika 26 (1934). With no hits it is 1 − 0.05^(1/runs), about 3/runs.
 * @returns a number in [0, 1]; 1 where nothing was run
 */
export function upperBound95(hits: number, runs: number): number {
  if (runs === 0 || hits >= runs) return 1;
  let low = hits / runs;
  let high = 1;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (atMost(hits, runs, middle) > 0.05) low = middle;
    else high = middle;
  }
  return high;
}

/** The chance of at most `hits` hits in `runs` runs, each hit having the probability `p`. */
function atMost(hits: number, runs: number, p: number): number {
  if (p >= 1) return 0;
  // In logarithms: the first term alone is far below the smallest double when there are many runs.
  let term = runs * Math.log1p(-p);
  let sum = 0;
  for (let k = 0; k <= hits; k++) {
    sum += Math.exp(term);
    term += Math.log((runs - k) / (k + 1)) + Math.log(p) - Math.log1p(-p);
  }
  return sum;
}
