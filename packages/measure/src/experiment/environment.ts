import { readFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, platform, release, totalmem } from "node:os";
import { z } from "zod";

export const environmentSchema = z.object({
  /** For people: `Debian GNU/Linux 12 (bookworm)`. */
  system: z.string(),
  kernel: z.string(),
  arch: z.string(),
  cpu: z.string(),
  cores: z.number(),
  memoryBytes: z.number(),
  node: z.string(),
  /**
   * Processes that wanted a processor, on average: of a session over the last minute before its first
   * turn, of results over their turns.
   */
  load: z.number(),
  engines: z.record(
    z.string(),
    z.object({
      engine: z.string(),
      provider: z.string(),
      version: z.string(),
      /** For people; a stand-in says so here. */
      source: z.string(),
    }),
  ),
});

/** What figures hold for. */
export type Environment = Readonly<z.infer<typeof environmentSchema>>;

/** An engine that figures depend on. */
interface Met {
  readonly name: string;
  readonly provider: string;
  readonly version: string;
  readonly source: string;
}

/** @param met by their roles */
export async function captureEnvironment(met: Readonly<Record<string, Met>>): Promise<Environment> {
  const osRelease = await readFile("/etc/os-release", "utf8").catch(() => "");
  const engines = Object.entries(met).map(([role, { name, provider, version, source }]) => {
    // Where on this machine it is, is nobody's business.
    return [
      role,
      { engine: name, provider, version, source: source.replaceAll(/ \(\/[^)]*\)/g, "") },
    ];
  });
  return {
    system: /^PRETTY_NAME="(.*)"$/m.exec(osRelease)?.[1] ?? platform(),
    kernel: release(),
    arch: process.arch,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.version,
    load: loadNow(),
    engines: Object.fromEntries(engines),
  };
}

/** Of the last minute, to two digits. */
export function loadNow(): number {
  return Number((loadavg()[0] ?? 0).toFixed(2));
}
