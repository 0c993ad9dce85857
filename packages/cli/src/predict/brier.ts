/** A forecast that counts, and whether it came true. */
export interface Resolved {
  readonly kata: string;
  readonly about: "check" | "claim";
  readonly id: string;
  /** When it was measured. */
  readonly at: string;
  readonly probability: number;
  readonly came: boolean;
  readonly said: string;
}

/** The mean of {@link penaltyOf}. */
export function brierOf(forecasts: readonly Resolved[]): number {
  const sum = forecasts.reduce((total, each) => total + penaltyOf(each), 0);
  return sum / forecasts.length;
}

/**
 * From 0 for who was sure and right to 1 for who was sure and wrong; 0.25 for who said 50 %. G. W. Brier,
 * "Verification of forecasts expressed in terms of probability" (1950), for two outcomes.
 */
export function penaltyOf({ probability, came }: Pick<Resolved, "probability" | "came">): number {
  return (probability - Number(came)) ** 2;
}
