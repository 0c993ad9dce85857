/** What the chaos monkey itself can't do. What a submission does wrong is an anomaly, not an error. */
export type ChaosErrorCode =
  | "OPTION_INVALID"
  | "SCHEDULE_INVALID"
  | "SUBMISSION_UNKNOWN"
  | "LOG_MISMATCH"
  | "NO_OVERLAP";

export class ChaosError extends Error {
  override readonly name = "ChaosError";
  readonly code: ChaosErrorCode;

  constructor(
    code: ChaosErrorCode,
    happened: string,
    details: { likelyCause?: string; remedy?: string; cause?: unknown } = {},
  ) {
    const lines = [happened];
    if (details.likelyCause) lines.push(`Likely cause: ${details.likelyCause}`);
    if (details.remedy) lines.push(`What to do: ${details.remedy}`);
    super(lines.join("\n"), details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
  }
}
