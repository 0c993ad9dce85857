import { readFileSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { runTool } from "../context.ts";
import { fetchFailed, installCommand } from "../errors.ts";
import { environment, type PackageClient, step } from "./client.ts";
import type { AptWay } from "./package.ts";

const settings = [
  "-o",
  "Acquire::http::Timeout=20",
  "-o",
  "Acquire::Retries=1",
  "-o",
  "APT::Sandbox::User=root",
];

/** `apt-get download` takes no root, and leaves alone what is there already and whole. */
export const apt: PackageClient<AptWay> = {
  programs: ["apt-get", "dpkg-deb"],

  async fetch(way, job) {
    const { context, engine, folder, downloads } = job;
    const [aptGet = "", dpkgDeb = ""] = job.programs;
    for (const path of ["state/lists/partial", "cache/archives/partial"])
      await mkdir(join(downloads, path), { recursive: true });
    const own = [...settings, "-o", `Dir::Cache=${downloads}/cache`];
    const fresh = [
      ...own,
      "-o",
      `Dir::State=${downloads}/state`,
      "-o",
      "Dir::State::status=/var/lib/dpkg/status",
    ];
    // The machine's package lists will do; where they are missing or stale, lists of our own.
    let failure = await download(own);
    if (failure !== undefined) {
      // Its exit code tells little: hooks that want root fail after the lists have arrived.
      await run([...fresh, "update"]);
      failure = await download(fresh);
    }
    if (failure !== undefined)
      throw fetchFailed(way.what, "apt-get download", failure, installCommand(engine));
    for (const file of await readdir(downloads)) {
      if (file.endsWith(".deb"))
        await step(job, way, {
          file: dpkgDeb,
          args: ["-x", join(downloads, file), folder],
          cwd: downloads,
        });
    }

    function run(args: readonly string[]) {
      return runTool(context, { file: aptGet, args, cwd: downloads, env: environment(context) });
    }

    async function download(options: readonly string[]): Promise<string | undefined> {
      // --reinstall names the packages even where they are installed.
      const wanted = ["--print-uris", "--reinstall", "--no-install-recommends", "-y"];
      const listed = await run([...options, "-qq", "install", ...wanted, ...way.packages]);
      const found = [...listed.output.matchAll(/^'[^']+' ([^_\s]+)_\S+ (\d+)/gm)].filter(
        ([, name = ""]) => !way.without?.test(name),
      );
      if (!listed.ok || found.length === 0)
        return listed.output || `apt-get knows no ${way.packages.join(", ")}`;
      const bytes = found.reduce((sum, [, , size]) => sum + Number(size), 0);
      context.progress(
        `${engine}: fetching ${found.length} packages, ${(bytes / 1e6).toFixed(1)} MB, with apt-get`,
      );
      const names = found.map(([, name]) => name ?? "");
      const { ok, output } = await run([...options, "-qq", "download", ...names]);
      return ok ? undefined : output;
    }
  },
};

/** Whether this machine's release of Debian is one that has the packages. */
export function isInRelease({ release }: AptWay, osRelease = "/etc/os-release"): boolean {
  if (release === undefined) return true;
  try {
    const text = readFileSync(osRelease, "utf8");
    const value = (name: string) => new RegExp(`^${name}="?([^"\n]*)"?$`, "m").exec(text)?.[1];
    return value("ID") === "debian" && value("VERSION_ID") === release;
  } catch {
    return false;
  }
}
