import { join } from "node:path";
import { type PackageClient, sizeOf, step } from "./client.ts";
import type { GoWay } from "./package.ts";

/** Builds into our cache. Modules and what was compiled so far outlive an interruption. */
export const go: PackageClient<GoWay> = {
  programs: ["go"],

  async fetch(way, job) {
    job.context.progress(`${job.engine}: building ${way.what} with go, which takes minutes`);
    await step(job, way, {
      file: job.programs[0] ?? "",
      args: ["install", "-trimpath", way.module],
      cwd: job.downloads,
      env: {
        GOBIN: join(job.folder, "bin"),
        GOMODCACHE: join(job.downloads, "modules"),
        GOCACHE: join(job.downloads, "built"),
        // Go writes modules read-only, which would be in the way of removing them.
        GOFLAGS: "-modcacherw",
      },
    });
  },

  /** Compiling counts, or all would seem to be there when it begins. */
  async arrived({ bytes, compiledBytes }, downloads) {
    const [fetched, compiled] = await Promise.all([
      // What is unpacked beside it would count twice, and is tens of thousands of files.
      sizeOf(join(downloads, "modules", "cache", "download")),
      sizeOf(join(downloads, "built")),
    ]);
    return (bytes * (fetched + compiled)) / (bytes + compiledBytes);
  },
};
