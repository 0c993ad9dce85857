import { readFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, platform, release, totalmem } from "node:os";
import type { Lease } from "@db-katas/engines";
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

export async function captureEnvironment(
  leases: Readonly<Record<string, Lease>>,
): Promise<Environment> {
  const osRelease = await readFile("/etc/os-release", "utf8").catch(() => "");
  const engines = Object.entries(leases).map(([role, { engine }]) => {
    const { name, provider, version, source } = engine;
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
