/** Files in memory, as three of their kind are merged. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type AskedExercise, TEMPLATE_RECORD, type TemplateRecord } from "@db-katas/generators";
import { z } from "zod";
import { isInside } from "../archive.ts";
import { CliError } from "../errors.ts";
import { listFiles } from "../files.ts";

export interface Content {
  readonly bytes: Buffer;
  readonly executable: boolean;
}

/** By their paths, with `/`. */
export type Tree = ReadonlyMap<string, Content>;

export interface Recorded {
  /** The package that it was made by or of, with its version. */
  readonly from: string;
  readonly tree: Tree;
  /** Set for an exercise: what it was asked to be. */
  readonly asked?: AskedExercise | undefined;
}

/** Larger than any template's file: it is left alone, and not read. */
const MOST_BYTES = 4 << 20;
/** Stands for what can't be merged: a link, a device, something huge. */
const OPAQUE = Buffer.from("\0");

const fileSchema = z.union([
  z.object({ text: z.string(), executable: z.literal(true).optional() }),
  z.object({ base64: z.base64(), executable: z.literal(true).optional() }),
]);
const recordSchema: z.ZodType<TemplateRecord> = z.object({
  schemaVersion: z.literal(1),
  from: z.string(),
  asked: z
    .object({
      name: z.string(),
      title: z.string(),
      engines: z.array(z.string()),
      shape: z.string(),
      date: z.iso.date(),
      empty: z.literal(true).optional(),
    })
    .optional(),
  files: z.record(z.string().refine(isInside), fileSchema),
}) as never;

/** What somebody has in a folder now, its record not counted. */
export async function readTree(folder: string): Promise<Tree> {
  const found = (await listFiles(folder)).filter(({ path }) => path !== TEMPLATE_RECORD);
  const contents = await Promise.all(
    found.map(async ({ path, kind, bytes, executable }) => {
      const isRead = kind === "file" && bytes <= MOST_BYTES;
      return { bytes: isRead ? await readFile(join(folder, path)) : OPAQUE, executable };
    }),
  );
  return new Map(found.map(({ path }, i) => [path, contents[i] as Content]));
}

/**
 * What a folder was made from; undefined: nobody has recorded it.
 * @throws CliError `UPDATE_REFUSED`
 */
export async function readRecord(folder: string): Promise<Recorded | undefined> {
  const file = join(folder, TEMPLATE_RECORD);
  const text = await readFile(file, "utf8").catch(() => undefined);
  return text === undefined ? undefined : parseRecord(text, file);
}

/**
 * @param file for people
 * @throws CliError `UPDATE_REFUSED`
 */
export function parseRecord(text: string, file: string): Recorded {
  try {
    const { from, asked, files } = recordSchema.parse(JSON.parse(text));
    const contents = Object.entries(files).map(([path, each]) => {
      const bytes = "text" in each ? Buffer.from(each.text) : Buffer.from(each.base64, "base64");
      return [path, { bytes, executable: each.executable === true }] as const;
    });
    return { from, tree: new Map(contents), asked };
  } catch {
    throw new CliError("UPDATE_REFUSED", `${file} is no record of a template.`, {
      likelyCause: "it was edited, merged by git, or written by a newer version",
      remedy: `git checkout <a commit in which it was whole> -- ${file}`,
    });
  }
}

export function isSame(a: Content | undefined, b: Content | undefined): boolean {
  if (!a || !b) return a === b;
  return a.bytes.equals(b.bytes) && a.executable === b.executable;
}
