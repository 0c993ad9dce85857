/** What an experiment of an attempt is written with: attempts depend on this package, and on no other of ours. */
export {
  defineExperiment,
  type ExperimentDefinition,
  type Stage,
  type Turn,
} from "@db-katas/measure";
