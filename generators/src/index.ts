export { type AttemptOptions, createAttempt } from "./create-attempt.ts";
export { type CreateExerciseOptions, createExercise, defaultTemplates } from "./create-exercise.ts";
export { availableEngines } from "./engines.ts";
export { GeneratorError, type GeneratorErrorCode } from "./errors.ts";
export { installPackages } from "./install.ts";
export { createLinkedWorkspace, type LinkedWorkspace } from "./linked-workspace.ts";
export { type RegisterOptions, register } from "./register.ts";
export { type ExerciseInput, type RenderedFile, renderExercise } from "./render.ts";
