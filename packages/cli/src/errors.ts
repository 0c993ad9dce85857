import { ExplainedError } from "@db-katas/engines/explained-error";

export type CliErrorCode =
  | "NOT_IN_WORKSPACE"
  | "KATA_UNKNOWN"
  | "ATTEMPT_MISSING"
  | "TARGET_UNCLEAR"
  | "RESULT_MISSING"
  | "HINT_UNKNOWN"
  | "CHECK_UNCLEAR"
  | "ENGINE_UNKNOWN"
  | "NO_ENGINE_KEY"
  | "FILE_UNUSABLE"
  | "ADDRESS_UNUSABLE"
  | "DOWNLOAD_FAILED"
  | "BUNDLE_ALTERED"
  | "PACK_FAILED"
  | "PACKAGE_NOT_FOUND"
  | "GRADE_FIRST"
  | "REFERENCE_MISSING"
  | "SUBMISSION_UNFIT"
  | "BUNDLE_REFUSED"
  | "CLAIM_UNKNOWN"
  | "CHECK_ERRED"
  | "CLAIMS_NOT_ASKED"
  | "HISTORY_CORRUPT"
  | "QUESTION_UNKNOWN"
  | "PREDICTION_UNCLEAR"
  | "PREDICTION_MISSING"
  | "NOT_AN_ATTEMPT"
  | "UPDATE_REFUSED"
  | "UPDATE_FAILED";

/** Something that the person at the keyboard can mend: what happened, and what to type. */
export class CliError extends ExplainedError<CliErrorCode> {
  override readonly name = "CliError";
}
