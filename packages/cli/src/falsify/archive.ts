import { appendFile, mkdir, readFile, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Kata } from "@db-katas/grading";
import { type HistoryEntry, historySchema, Journal } from "@db-katas/measure";
import { CliError } from "../errors.ts";

type Size = HistoryEntry["size"];

/** Where an exercise keeps what became of its claims. */
function folderOf(kata: Kata): string {
  return join(kata.folder, ".kata", "falsify");
}

/** Raw results of the run under way. Of one that was ended early, they are there: it goes on. */
export function openRun(kata: Kata, size: Size): Promise<Journal> {
  return Journal.open(join(folderOf(kata), `${size}.jsonl`));
}

/** Puts a run's raw results away, so that the next one measures anew. */
export async function endRun(kata: Kata, size: Size, at: Date): Promise<void> {
  const file = join(folderOf(kata), `${size}.jsonl`);
  if (!(await stat(file).catch(() => undefined))) return;
  const kept = join(
    folderOf(kata),
    "raw",
    `${at.toISOString().replaceAll(":", "-")}-${size}.jsonl`,
  );
  await mkdir(dirname(kept), { recursive: true });
  await rename(file, kept);
}

function historyFile(kata: Kata): string {
  return join(folderOf(kata), "history.jsonl");
}

export async function addToHistory(kata: Kata, entry: HistoryEntry): Promise<void> {
  const file = historyFile(kata);
  await mkdir(dirname(file), { recursive: true });
  await appendFile(file, `${JSON.stringify(entry)}\n`);
}

/** In the order in which they were measured. @throws CliError `HISTORY_CORRUPT` */
export async function readHistory(kata: Kata): Promise<HistoryEntry[]> {
  const file = historyFile(kata);
  const text = await readFile(file, "utf8").catch(() => "");
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line, index) => {
    try {
      return historySchema.parse(JSON.parse(line));
    } catch {
      throw new CliError("HISTORY_CORRUPT", `Line ${index + 1} of ${file} is no finding.`, {
        likelyCause: "somebody edited it, or another version wrote it",
        remedy: `take that line out, or begin anew: mv ${file} ${file}.old`,
      });
    }
  });
}
