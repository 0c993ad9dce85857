import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const file = join(import.meta.dirname, "engines.json");

/** What one engine cost on one machine; times in ms, medians of several. */
const measurementSchema = z.object({
  engine: z.string(),
  /** `YYYY-MM-DD` */
  date: z.string(),
  machine: z.object({
    system: z.string(),
    arch: z.string(),
    cores: z.number(),
    memoryBytes: z.number(),
    /** How many wanted a core in the minute before: far above none, the times say less. */
    load: z.number(),
  }),
  provider: z.string(),
  source: z.string(),
  version: z.string(),
  /** From asking for the first lease, everything fetched and prepared, until it is there. */
  startMs: z.number(),
  /** The same until a client has connected, written and read. */
  firstAnswerMs: z.number(),
  /** A further lease from a template with a few entries, and its address for one app node. */
  leaseMs: z.number(),
  /** So long at most took 19 of 20 of those. Where absent, the leases before it were not even used. */
  leaseP95Ms: z.number().optional(),
  /** Resident memory of the server with all of its processes. */
  memoryBytes: z.number().optional(),
});

export type Measurement = z.infer<typeof measurementSchema>;

export async function readMeasurements(): Promise<Measurement[]> {
  return z.array(measurementSchema).parse(JSON.parse(await readFile(file, "utf8")));
}

/** An engine that was measured again takes its new place; others keep what they had. */
export async function keepMeasurements(fresh: readonly Measurement[]): Promise<void> {
  const measured = new Set(fresh.map(({ engine }) => engine));
  const kept = (await readMeasurements()).filter(({ engine }) => !measured.has(engine));
  const all = [...kept, ...fresh].sort((a, b) => a.engine.localeCompare(b.engine));
  await writeFile(file, `${JSON.stringify(all, null, 2)}\n`);
}
