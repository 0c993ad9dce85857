export { cacheFolder, clearCache } from "./cache.ts";
export type { EngineDefinition } from "./definition.ts";
export { EngineError, type EngineErrorCode, errorCodes } from "./errors.ts";
export { TcpProxy } from "./proxy.ts";
export { type AnyFault, loadDefinitions, loadFaults } from "./registry.ts";
export { type OpenOptions, openEngines } from "./run.ts";
export { formatUtterance, type Utterance } from "./transcript.ts";
export type * from "./types.ts";
export {
  killTree,
  type ProcessRef,
  processRef,
  processTable,
  processTree,
} from "./watcher/processes.ts";
export { runParents } from "./watcher/run-folder.ts";
