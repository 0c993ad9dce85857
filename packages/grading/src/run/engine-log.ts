import type { Lease } from "@db-katas/engines";

/** Asked of each engine before the log is cut to the check's time. */
const LINES_READ = 2_000;
const LINES_KEPT = 40;
/**
 * PostgreSQL takes a checkpoint for each database that is cloned or dropped, which is what our leases
 * do; connections are logged for {@link Lease.detours}.
 */
const NOISE =
  /LOG: {2}(checkpoint (starting|complete)|connection (received|authenticated|authorized))|^\d+:M .{24} - |^\s*$/;
/** What an engine logs about its end comes after the moment at which the check noticed. */
const AROUND_MS = 250;
const SILENT_MS = 2_000;

/**
 * What the engines of a check logged while it ran. A server that other checks share logs theirs too.
 * @param from milliseconds since the epoch
 */
export async function engineLogs(
  leases: ReadonlyMap<string, Lease>,
  from: number,
): Promise<string> {
  const until = Date.now() + AROUND_MS;
  const logs = await Promise.allSettled(
    [...leases].map(async ([name, lease]) => {
      const log = await limited(lease.engine.log(LINES_READ));
      const lines = linesBetween(log, from - AROUND_MS, until).slice(-LINES_KEPT);
      return lines.length > 0 ? [`── ${name}`, ...lines].join("\n") : "";
    }),
  );
  return logs.flatMap((log) => (log.status === "fulfilled" ? log.value || [] : [])).join("\n");
}

/** Lines without a time of their own belong to the line before; a log without any is kept whole. */
export function linesBetween(log: string, from: number, until: number): string[] {
  const lines = log.split("\n").filter((line) => !NOISE.test(line));
  if (lines.every((line) => timeOf(line) === undefined)) return lines;
  let within = false;
  return lines.filter((line) => {
    const time = timeOf(line);
    if (time !== undefined) within = time >= from && time <= until;
    return within;
  });
}

/** `2026-01-31 12:00:00.000 UTC …` as PostgreSQL writes it, `9:M 31 Jan 2026 12:00:00.000 …` as Redis does. */
const POSTGRES_TIME = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [A-Z]{3,5})\b/;
const REDIS_TIME = /^\d+:[A-Z] (\d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d\.\d{3})\b/;

function timeOf(line: string): number | undefined {
  // Redis writes local time without a zone, and that is how Date reads it.
  const text = (POSTGRES_TIME.exec(line) ?? REDIS_TIME.exec(line))?.[1];
  const time = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

/** An engine that a check left hanging must not hold up its report. */
function limited(log: Promise<string>): Promise<string> {
  const silent = new Promise<string>((resolve) => {
    setTimeout(() => resolve(""), SILENT_MS).unref();
  });
  return Promise.race([log, silent]);
}
