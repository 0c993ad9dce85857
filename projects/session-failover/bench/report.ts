/** Where figures go: a table for people, and JSON in `.kata/`. */
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Lease } from "@db-katas/engines";
import Table from "cli-table3";
import { max, median, min } from "d3-array";

const FOLDER = join(import.meta.dirname, "..", ".kata", "bench");

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return {
    median: median(values) ?? Number.NaN,
    min: min(values) ?? Number.NaN,
    max: max(values) ?? Number.NaN,
  };
}

/** What the figures hold for. */
export function circumstances(leases: readonly Lease[]) {
  return {
    date: new Date().toISOString().slice(0, 10),
    cores: availableParallelism(),
    node: process.version,
    engines: Object.fromEntries(leases.map(({ engine }) => [engine.name, engine.version])),
  };
}

/** @returns the file */
export async function save(name: string, report: object): Promise<string> {
  const file = join(FOLDER, `${name}.json`);
  await mkdir(FOLDER, { recursive: true });
  await writeFile(file, `${JSON.stringify(report, null, 2)}\n`);
  return file;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const drawn = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (column === 0 ? "left" : "right")),
    style: { head: [], border: [] },
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
  });
  drawn.push(...rows.map((row) => [...row]));
  return drawn.toString();
}
