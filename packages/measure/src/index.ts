export { checkClaim } from "./claim/check.ts";
export {
  type CheckedClaim,
  type Claim,
  type ClaimFields,
  claimSchema,
  formatProblems,
  type MeasuredClaim,
  type OutsideClaim,
  type Problem,
} from "./claim/claim.ts";
export { evaluate } from "./claim/evaluate.ts";
export { type Falsified, type FalsifyOptions, falsify } from "./claim/falsify.ts";
export {
  type Checked,
  type Compared,
  checked,
  type Finding,
  formatFinding,
  lastMeasured,
  type Measured,
  type NotRun,
  outcomeOf,
} from "./claim/finding.ts";
export { formatLog, setLastMeasured } from "./claim/format.ts";
export { type HistoryEntry, historyEntry, historySchema } from "./claim/history.ts";
export { type DecisionLog, parseLog } from "./claim/log.ts";
export {
  type Expression,
  formatExpression,
  formatPredicate,
  measuresOf,
} from "./claim/predicate.ts";
export { errorCodes, MeasureError, type MeasureErrorCode } from "./errors.ts";
export {
  type Bench,
  builtInMetrics,
  type ContenderDefinition,
  defineExperiment,
  type EngineNeed,
  type ExperimentDefinition,
  type MetricDefinition,
  metricsOf,
  type ParameterDefinition,
  type Stage,
  type Turn,
} from "./experiment/definition.ts";
export { captureEnvironment, type Environment } from "./experiment/environment.ts";
export { Journal, type SessionRecord, type TurnRecord } from "./experiment/journal.ts";
export { type Experiment, loadExperiment } from "./experiment/load-experiment.ts";
export { Results } from "./experiment/results.ts";
export { type RunOptions, runExperiment } from "./experiment/run.ts";
export { type Clock, monotonic } from "./load/clock.ts";
export {
  applyLoad,
  type ClosedLoop,
  type Load,
  type LoadOptions,
  type LoadResult,
  type OpenLoop,
  type Request,
} from "./load/load.ts";
export { type Proof, type ProveOptions, proveClaim } from "./sabotage/prove.ts";
export { type BootstrapOptions, bootstrap, FEWEST } from "./stats/bootstrap.ts";
export {
  type Comparator,
  type Estimate,
  type Interval,
  type Judgement,
  judge,
} from "./stats/estimate.ts";
export { type AtSize, FEWEST_SIZES, type Growth, growth } from "./stats/growth.ts";
export { Latencies } from "./stats/latencies.ts";
export { DEFAULT_TURNS, pairedDifference, pairedRatio, typical } from "./stats/pairs.ts";
export { formatQuantity, parseUnit } from "./units.ts";
