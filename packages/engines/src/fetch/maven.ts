import { join } from "node:path";
import { type PackageClient, step } from "./client.ts";
import type { MavenWay } from "./package.ts";

const copyDependencies = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/** A local repository of our own keeps what has arrived complete, should the rest be interrupted. */
export const maven: PackageClient<MavenWay> = {
  programs: ["mvn"],

  async fetch(way, job) {
    job.context.progress(
      `${job.engine}: fetching ${way.what}, about ${(way.bytes / 1e6).toFixed(0)} MB, with Maven`,
    );
    await step(job, way, {
      file: job.programs[0] ?? "",
      args: [
        "--batch-mode",
        "--quiet",
        "--strict-checksums",
        "--file",
        way.pom,
        `-Dmaven.repo.local=${join(job.downloads, "repository")}`,
        `-DoutputDirectory=${join(job.folder, "jars")}`,
        "-DincludeScope=runtime",
        copyDependencies,
      ],
      cwd: job.downloads,
    });
  },
};
