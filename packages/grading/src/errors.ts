/** Every error that is ours or the user's to mend; a wrong answer of a submission is none of these. */
export type GradingErrorCode =
  | "KATA_INVALID"
  | "RUBRIC_INVALID"
  | "MANIFEST_INVALID"
  | "SUBMISSION_NOT_FOUND"
  | "CHECK_UNKNOWN"
  | "SUBJECT_UNKNOWN"
  | "CHANGES_UNKNOWN"
  | "README_UNMARKED";

/** What happened, why it probably did, and what to type next. */
export class GradingError extends Error {
  override readonly name = "GradingError";
  readonly code: GradingErrorCode;
  readonly likelyCause: string | undefined;
  readonly remedy: string | undefined;

  constructor(
    code: GradingErrorCode,
    happened: string,
    details: { likelyCause?: string; remedy?: string; cause?: unknown } = {},
  ) {
    const lines = [happened];
    if (details.likelyCause) lines.push(`Likely cause: ${details.likelyCause}`);
    if (details.remedy) lines.push(`What to do: ${details.remedy}`);
    super(lines.join("\n"), details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.likelyCause = details.likelyCause;
    this.remedy = details.remedy;
  }
}
