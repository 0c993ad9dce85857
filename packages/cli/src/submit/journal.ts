import { appendFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { Workspace } from "../workspace.ts";
import { regradedSchema } from "./regrade.ts";

const beginSchema = z.object({ seed: z.int(), isolated: z.boolean() });
const entrySchema = z.object({
  /** Of the bundle's file. */
  sha256: z.string(),
  /** Of what graded it. */
  sources: z.string(),
  result: regradedSchema,
});

export type RegradeEntry = z.infer<typeof entrySchema>;

/** What has been graded of many bundles, so that whatever ends it costs one bundle at most. */
export class RegradeJournal {
  readonly #file: string;
  readonly entries: readonly RegradeEntry[];
  readonly seed: number;

  private constructor(file: string, seed: number, entries: readonly RegradeEntry[]) {
    this.#file = file;
    this.seed = seed;
    this.entries = entries;
  }

  /**
   * Goes on with what was ended, if it was graded in the same way.
   * @param seed what it was asked to be; undefined: that of what was ended, else a fresh one
   */
  static async open(
    { root }: Workspace,
    isolated: boolean,
    seed: number | undefined,
    freshSeed: () => number,
  ): Promise<RegradeJournal> {
    const file = join(root, ".kata", "bundles.jsonl");
    const [first, ...lines] = (await readFile(file, "utf8").catch(() => "")).split("\n");
    const begin = parsed(beginSchema, first);
    if (begin && begin.isolated === isolated && (seed === undefined || begin.seed === seed)) {
      const entries = lines.flatMap((line) => parsed(entrySchema, line) ?? []);
      return new RegradeJournal(file, begin.seed, entries);
    }
    const chosen = seed ?? freshSeed();
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify({ seed: chosen, isolated }));
    return new RegradeJournal(file, chosen, []);
  }

  find(sha256: string, sources: string): RegradeEntry["result"] | undefined {
    return this.entries.find((entry) => entry.sha256 === sha256 && entry.sources === sources)
      ?.result;
  }

  async append(entry: RegradeEntry): Promise<void> {
    // The line break comes first: a line that was cut off spoils itself and not this one.
    await appendFile(this.#file, `\n${JSON.stringify(entry)}`);
  }

  /** All is done, and told. */
  close(): Promise<void> {
    return rm(this.#file, { force: true });
  }
}

function parsed<T>(schema: z.ZodType<T>, line: string | undefined): T | undefined {
  try {
    return schema.parse(JSON.parse(line ?? ""));
  } catch {
    return undefined;
  }
}
