import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ArchivedFile } from "../archive.ts";
import { CliError } from "../errors.ts";
import { type FoundFile, listFiles } from "../files.ts";

/** Ample for what one person writes, and little enough for whoever unpacks hundreds. */
export const CODE_LIMITS = { files: 500, fileBytes: 1 << 20, totalBytes: 8 << 20 };

/**
 * The files of a submission, by their paths: without what is hidden (an `.env`, say), fetched or built.
 * @throws CliError `SUBMISSION_UNFIT`
 */
export async function collectCode(folder: string): Promise<ArchivedFile[]> {
  const found = (await listFiles(folder)).filter(({ path }) => !/(?:^|\/)\./.test(path));
  checkFit(found);
  return Promise.all(
    found.map(async ({ path, executable }) => ({
      path,
      bytes: await readFile(join(folder, path)),
      executable,
    })),
  );
}

function checkFit(found: readonly FoundFile[]): void {
  const odd = found.find(({ kind }) => kind !== "file");
  if (odd) {
    throw unfit(
      `${odd.path} is a ${odd.kind === "link" ? "symbolic link" : "device or a socket"}`,
      {
        remedy: "replace it by a copy of what it leads to, or move it away",
      },
    );
  }
  const large = found.find(({ bytes }) => bytes > CODE_LIMITS.fileBytes);
  if (large) {
    throw unfit(
      `${large.path} has ${large.bytes} bytes, and ${CODE_LIMITS.fileBytes} are the most`,
      {
        remedy: "move it out of the submission's folder: a bundle is for code",
      },
    );
  }
  const total = found.reduce((sum, { bytes }) => sum + bytes, 0);
  if (found.length > CODE_LIMITS.files || total > CODE_LIMITS.totalBytes) {
    throw unfit(
      `it has ${found.length} files and ${total} bytes; ${CODE_LIMITS.files} and ${CODE_LIMITS.totalBytes} are the most`,
      { remedy: "move what isn't code out of its folder" },
    );
  }
}

function unfit(why: string, { remedy }: { remedy: string }): CliError {
  return new CliError("SUBMISSION_UNFIT", `This can't be submitted: ${why}.`, { remedy });
}
