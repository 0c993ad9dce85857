import { ExplainedError } from "@db-katas/engines/explained-error";

/** Every error that is ours or the user's to mend; a wrong answer of a submission is none of these. */
export type GradingErrorCode =
  | "KATA_INVALID"
  | "RUBRIC_INVALID"
  | "MANIFEST_INVALID"
  | "PATCH_STALE"
  | "SUBMISSION_NOT_FOUND"
  | "CHECK_UNKNOWN"
  | "SUBJECT_UNKNOWN"
  | "CHANGES_UNKNOWN"
  | "README_UNMARKED"
  | "ISOLATION_UNAVAILABLE"
  | "PACK_FAILED"
  /** The budget of a checker of histories was too small. */
  | "HISTORY_UNDECIDED";

/** What happened, why it probably did, and what to type next. */
export class GradingError extends ExplainedError<GradingErrorCode> {
  override readonly name = "GradingError";
}

/** @param why what stands in the way, in the words of who refused */
export function isolationUnavailable(why: string): GradingError {
  return new GradingError(
    "ISOLATION_UNAVAILABLE",
    `Submissions can't be isolated on this machine: ${why}.`,
    {
      likelyCause:
        "it takes Linux, the programs unshare, mount, setpriv, prlimit (util-linux) and ip (iproute2), and root or user namespaces",
      remedy:
        "apt-get install util-linux iproute2, and run it as root; in a container, with --privileged. Nothing weaker is used in its place: leave --isolated away if you trust the submission",
    },
  );
}
