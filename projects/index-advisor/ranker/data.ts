/** The training data that is in Git: rows of features with what was measured. */
import { readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";

const file = new URL("data/pairs.jsonl", import.meta.url);

/** LightGBM's missing value; JSON has none. */
const value = z
  .number()
  .nullable()
  .transform((number) => number ?? Number.NaN);

const rowSchema = z.object({
  /** Number in {@link Data.statements}. */
  statement: z.int(),
  proposed: z.boolean(),
  /** The method, for what is told apart by it. */
  method: z.string(),
  beforeMs: z.number(),
  afterMs: z.number(),
  /** The planner's cost without and with the index once it was built, in its units. */
  costBefore: z.number(),
  costAfter: z.number(),
  /** Without asking for a pretended plan; and with, where there could be one. */
  values: z.array(value),
});

const headSchema = z.object({
  features: z.array(z.string()),
  /** Features that only a pretended plan tells: they are the last ones. */
  pretended: z.int(),
  statements: z.array(z.object({ template: z.string(), scale: z.int(), sql: z.string() })),
});

export type DataRow = z.infer<typeof rowSchema>;
export interface Data extends z.infer<typeof headSchema> {
  readonly rows: readonly DataRow[];
}

/** @throws where the file isn't what {@link writeData} writes */
export function readData(): Data {
  const [head = "", ...lines] = readFileSync(file, "utf8").trimEnd().split("\n");
  return {
    ...headSchema.parse(JSON.parse(head)),
    rows: lines.map((line) => rowSchema.parse(JSON.parse(line))),
  };
}

export function writeData({ rows, ...head }: Data): void {
  const lines = [head, ...rows].map((line) => JSON.stringify(line));
  writeFileSync(file, `${lines.join("\n")}\n`);
}
