import { createHash } from "node:crypto";
import { appendFile, glob, mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";

const entrySchema = z.object({
  at: z.iso.datetime(),
  /** What was graded by what: results of other sources are kept and not counted. */
  sources: z.string(),
  kind: z.string(),
  item: z.string(),
  seed: z.int(),
  durationMs: z.number(),
  runs: z.int(),
  unexpected: z.int(),
  cells: z.array(
    z.object({
      subject: z.string(),
      check: z.string(),
      verdicts: z.record(z.string(), z.int()),
      unexpected: z.int(),
    }),
  ),
  /** What was told of each failure among the unexpected, as text. */
  failures: z.array(z.string()).default([]),
});

/** One work item that is done. */
export type SoakEntry = z.infer<typeof entrySchema>;

/** A file to which finished work is appended, so that what ends a soak costs it one item at most. */
export class Journal {
  readonly #file: string;

  constructor(folder: string) {
    this.#file = join(folder, ".kata", "soak", "work.jsonl");
  }

  async read(): Promise<SoakEntry[]> {
    const text = await readFile(this.#file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw error;
    });
    return text.split("\n").flatMap((line) => {
      try {
        return [entrySchema.parse(JSON.parse(line))];
      } catch {
        // Cut off by whatever ended the soak, or empty: that item is done again.
        return [];
      }
    });
  }

  async append(entry: SoakEntry): Promise<void> {
    await mkdir(dirname(this.#file), { recursive: true });
    // The line break comes first: a line that was cut off spoils itself and not this one.
    await appendFile(this.#file, `\n${JSON.stringify(entry)}`);
  }
}

/** A hash of everything that decides a verdict: the exercise's files and our own. */
export async function sourcesOf(root: string, kataFolder: string): Promise<string> {
  const hash = createHash("sha256").update(process.version);
  const patterns = ["packages/{engines,grading}/src/**/*.*", "pnpm-lock.yaml"].map((each) =>
    join(root, each),
  );
  const parts = "{contract.ts,kata.ts,{grading,src,starter,mutants,variants}/**/*.*}";
  const files: string[] = [];
  for await (const file of glob([...patterns, join(kataFolder, parts)])) files.push(file);
  for (const file of files.sort())
    hash.update(file.slice(root.length)).update(await readFile(file));
  return hash.digest("hex").slice(0, 12);
}
