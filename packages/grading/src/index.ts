export {
  type Check,
  type CheckDefinition,
  checksFor,
  type EngineNeeds,
  type Hint,
  type Preparation,
  requestFor,
  type SubmissionContract,
} from "./check.ts";
export { CheckContext, type NodeOf } from "./context.ts";
export { GradingError, type GradingErrorCode } from "./errors.ts";
export {
  type BankAnomaly,
  type BankOp,
  type BankOptions,
  checkBank,
  type Transfer,
} from "./history/bank.ts";
export { type CounterAnomaly, type CounterOp, checkCounter } from "./history/counter.ts";
export { formatOperation, History, type Operation } from "./history/history.ts";
export { checkMutex, type MutexAnomaly, type MutexOp, type MutexOptions } from "./history/mutex.ts";
export { checkRegister, type RegisterOp, type RegisterOptions } from "./history/register.ts";
export {
  checkSet,
  type SetAnomaly,
  type SetOp,
  type SetOptions,
  type SetVerdict,
} from "./history/set.ts";
export { renderTimeline, type TimelineBand, type TimelineOptions } from "./history/timeline.ts";
export { countAnomalies, type HistoryVerdict } from "./history/verdict.ts";
export {
  checkWindows,
  type WindowAnomaly,
  type WindowOp,
  type WindowOptions,
} from "./history/windows.ts";
export {
  defineKata,
  type EngineRole,
  engineOf,
  enginesOf,
  type Kata,
  type KataDefinition,
  kataFile,
  loadKata,
} from "./kata.ts";
export { type Staged, stageExercise } from "./publish/stage.ts";
export { githubAnnotations } from "./report/github.ts";
export { htmlPage, type Page } from "./report/html/frame.ts";
export { html, Markup } from "./report/html/markup.ts";
export { isMeasured } from "./report/measured.ts";
export { type Reporter, reporters } from "./report/reporter.ts";
export {
  type CheckResult,
  countOf,
  exitCodeOf,
  exitCodes,
  type Scorecard,
  scorecardSchema,
} from "./report/scorecard.ts";
export {
  formatCheckLine,
  formatFailure,
  formatScorecard,
  formatSummary,
  MARKS,
  type Paint,
  plainPaint,
  terminalPaint,
} from "./report/text.ts";
export { loadRubric, onlyThese, type Rubric, withDependencies } from "./rubric.ts";
export { type GradeOptions, grade } from "./run/grade.ts";
export type { HeldCheck, HeldEngine } from "./run/hold.ts";
export { leasePrepared } from "./run/prepared-lease.ts";
export { freshSeed, type Random, randomFrom, seedFor } from "./seed.ts";
export type { AppProcessOptions } from "./submission/launch.ts";
export { AppProcess } from "./submission/process.ts";
export { findSubmission, fingerprint, type Submission } from "./submission/submission.ts";
export { CheckFailure, SubmissionCrashed, SubmissionError, SubmissionTimedOut } from "./verdict.ts";
export { changedFiles, changedSubjects, sampleMutants } from "./verify/changed.ts";
export { upperBound95 } from "./verify/flake.ts";
export { loadMutants, loadVariants, type Mutant, type Variant } from "./verify/manifest.ts";
export { type KillMatrix, killMatrix, killMatrixSchema } from "./verify/matrix.ts";
export { formatFlake, formatMatrix } from "./verify/matrix-text.ts";
export {
  DRAWN_PER_CHECK,
  leftOut,
  type Meeting,
  meetings,
  VARIANTS_PER_CHECK,
} from "./verify/meets.ts";
export { composeMutant } from "./verify/overlay.ts";
export { namesInReadme, withMatrix } from "./verify/readme.ts";
export { loadSubjects, pickSubjects, type Subject } from "./verify/subjects.ts";
export {
  type GradedSubject,
  VERIFY_CONCURRENCY,
  VERIFY_CONCURRENCY_IDLE,
  type Verification,
  type VerifyOptions,
  type VerifyResult,
  verify,
} from "./verify/verify.ts";
