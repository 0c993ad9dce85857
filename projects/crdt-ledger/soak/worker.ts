/** One thread of {@link ./soak.ts}: runs every n-th schedule, and tells of each. */
import { parentPort, workerData } from "node:worker_threads";
import { type Diverged, loadSubmission, schedule } from "./schedules.ts";

/** What a thread is to do. */
export interface Share {
  /** The `index.ts` of a submission. */
  readonly index: string;
  readonly seeds: readonly number[];
  /** Of one schedule. */
  readonly events: number;
}

/** What it says of each schedule that it has run: null where all saw the same. */
export type Told = Diverged | null;

const { index, seeds, events } = workerData as Share;
const submission = await loadSubmission(index);
for (const seed of seeds) {
  parentPort?.postMessage((await schedule(submission, seed, events)) satisfies Told);
}
