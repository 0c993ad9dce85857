/**
 * What was written when something was created, kept beside it whole: without it nobody can tell what
 * its owner has changed. It is a file of theirs, in their repository, because neither what a clone held
 * that day nor a published package has to be there when they update.
 */
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";

export const TEMPLATE_RECORD = ".kata-template.json";

/** A file as JSON holds it: its text, or its bytes where those are no UTF-8. */
export type RecordedFile = ({ readonly text: string } | { readonly base64: string }) & {
  readonly executable?: true;
};

export interface TemplateRecord {
  readonly schemaVersion: 1;
  /** The package that it was made by or of, with its version. */
  readonly from: string;
  /** What an exercise was asked to be; its files can be made again of it, by newer templates. */
  readonly asked?: AskedExercise;
  /** By their paths, with `/`. */
  readonly files: Readonly<Record<string, RecordedFile>>;
}

export interface AskedExercise {
  readonly name: string;
  readonly title: string;
  readonly engines: readonly string[];
  readonly shape: string;
  /** Of the decision log's entry: `2026-11-22`. */
  readonly date: string;
  /** Whether it was made without its example. */
  readonly empty?: true | undefined;
}

/** The record of files that are text and in memory, as it is written. */
export function recordOfTexts(
  files: Readonly<Record<string, string>>,
  from: string,
  asked?: AskedExercise,
): string {
  const recorded = Object.entries(files).map(([path, text]) => [path, { text }] as const);
  return formatRecord(from, recorded, asked);
}

/** Records a folder that has just been made. */
export async function recordFolder(folder: string, from: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const recorded = await Promise.all(
    files.map(async (file) => {
      const { mode } = await stat(file);
      const path = relative(folder, file).split(sep).join("/");
      return [path, recordedFile(await readFile(file), (mode & 0o111) !== 0)] as const;
    }),
  );
  await writeFile(join(folder, TEMPLATE_RECORD), formatRecord(from, recorded));
}

export function recordedFile(bytes: Buffer, executable: boolean): RecordedFile {
  const text = bytes.toString("utf8");
  const content = Buffer.from(text).equals(bytes) ? { text } : { base64: bytes.toString("base64") };
  return { ...content, ...(executable && { executable }) };
}

/** In the order of the paths: the same files make the same text. */
export function formatRecord(
  from: string,
  files: readonly (readonly [path: string, file: RecordedFile])[],
  asked?: AskedExercise,
): string {
  const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  const record: TemplateRecord = {
    schemaVersion: 1,
    from,
    ...(asked && { asked }),
    files: Object.fromEntries(sorted),
  };
  return `${JSON.stringify(record, null, 2)}\n`;
}
