import { readFile } from "node:fs/promises";
import { availableParallelism, loadavg, platform, release, totalmem } from "node:os";
import type { Measurement } from "./measurements.ts";

/** What a measurement was made on. */
export async function describeMachine(): Promise<Measurement["machine"]> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  return {
    system: /^PRETTY_NAME="(.*)"$/m.exec(text)?.[1] ?? `${platform()} ${release()}`,
    arch: process.arch,
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    load: Number((loadavg()[0] ?? 0).toFixed(1)),
  };
}

/** Where on this machine it is, is nobody's business. */
export function impersonal(source: string): string {
  return source.replaceAll(/ \(\/[^)]*\)/g, "");
}
