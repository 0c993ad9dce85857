export { applyChanges, type Change } from "./changes.ts";
export { type AttemptOptions, createAttempt } from "./create-attempt.ts";
export {
  type CreateExerciseOptions,
  createExercise,
  defaultTemplates,
  filesOf,
  type Surroundings,
} from "./create-exercise.ts";
export { availableEngines } from "./engines.ts";
export { answerMissing, GeneratorError, type GeneratorErrorCode } from "./errors.ts";
export { installPackages } from "./install.ts";
export { createLinkedWorkspace, type LinkedWorkspace } from "./linked-workspace.ts";
export { asTypedWith, type PackageManager, packageManagerOf } from "./package-manager.ts";
export { parts } from "./parts/index.ts";
export type { Answers, Choice, Part, Plan, Question } from "./parts/part.ts";
export { type RegisterOptions, register } from "./register.ts";
export { type ExerciseInput, type RenderedFile, renderExercise } from "./render.ts";
export { SHAPES, type Shape } from "./shapes.ts";
export {
  type AskedExercise,
  formatRecord,
  type RecordedFile,
  recordedFile,
  TEMPLATE_RECORD,
  type TemplateRecord,
} from "./template-record.ts";
