/** Many schedules, on as many threads as there are cores. */
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Diverged } from "./schedules.ts";
import type { Share, Told } from "./worker.ts";

export interface SoakOptions {
  /** The `index.ts` of a submission. */
  readonly index: string;
  /** The first one; the others follow. */
  readonly seed: number;
  readonly schedules: number;
  /** Of each schedule. */
  readonly events: number;
  /** Default: one for each core. */
  readonly threads?: number;
  readonly onSchedule?: (done: number) => void;
}

export interface Soaked {
  readonly diverged: readonly Diverged[];
  readonly seconds: number;
}

/** @throws what a thread threw: a submission that can't be loaded, say */
export async function soak({
  index,
  seed,
  schedules,
  events,
  threads = availableParallelism(),
  onSchedule,
}: SoakOptions): Promise<Soaked> {
  const from = performance.now();
  const diverged: Diverged[] = [];
  let done = 0;
  const take = (told: Told) => {
    done += 1;
    if (told) diverged.push(told);
    onSchedule?.(done);
  };
  const shares = Array.from({ length: threads }, (_, thread): Share => {
    const all = Array.from({ length: schedules }, (_, i) => seed + i);
    return { index, events, seeds: all.filter((_, i) => i % threads === thread) };
  });
  await Promise.all(shares.map((share) => finished(share, take)));
  diverged.sort((a, b) => a.seed - b.seed);
  return { diverged, seconds: (performance.now() - from) / 1_000 };
}

async function finished(share: Share, take: (told: Told) => void): Promise<void> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: share });
  worker.on("message", take);
  // once() rejects with what the thread threw.
  await once(worker, "exit");
}
