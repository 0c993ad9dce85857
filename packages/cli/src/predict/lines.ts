import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { z } from "zod";

/** Adds a line of JSON to a file that is only ever added to. */
export async function addLine(file: string, value: unknown): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  // The line break comes first: a line that was cut off spoils itself and not this one.
  await appendFile(file, `\n${JSON.stringify(value)}`);
}

/** All lines of such a file, without those that were cut off or that another version wrote. */
export async function readLines<T>(file: string, schema: z.ZodType<T>): Promise<T[]> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  return text.split("\n").flatMap((line) => {
    try {
      return [schema.parse(JSON.parse(line))];
    } catch {
      return [];
    }
  });
}
