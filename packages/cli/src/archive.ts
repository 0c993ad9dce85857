/** Compressed archives that somebody else has made, and some of our own. */
import { createReadStream } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Transform } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { createGunzip, gzipSync } from "node:zlib";
import tar from "tar-stream";

export interface ArchivedFile {
  /** Relative, with `/`. */
  readonly path: string;
  readonly bytes: Buffer;
  readonly executable: boolean;
}

/** What is read at most, in files and in bytes. */
export interface ArchiveLimits {
  readonly files: number;
  readonly fileBytes: number;
  readonly totalBytes: number;
}

/** A header, the padding after a file, and what a long name takes. */
const BYTES_AROUND_A_FILE = 4096;
/** The same files make the same archive, whenever and by whomever it is made. */
const IMPERSONAL = { mtime: new Date(0), uid: 0, gid: 0 };

/** A .tar.gz, in the order given. */
export async function packFiles(files: readonly ArchivedFile[]): Promise<Buffer> {
  const pack = tar.pack();
  for (const { path, bytes, executable } of files) {
    pack.entry({ ...IMPERSONAL, name: path, mode: executable ? 0o755 : 0o644 }, bytes);
  }
  pack.finalize();
  return gzipSync(await buffer(pack), { level: 9 });
}

/**
 * Reads a .tar.gz that nobody vouches for, into memory and no more of it than the limits allow.
 * @param refuse makes the error that is thrown, from why it is refused
 */
export async function readArchive(
  file: string,
  limits: ArchiveLimits,
  refuse: (why: string) => Error,
): Promise<ArchivedFile[]> {
  const most = limits.totalBytes + limits.files * BYTES_AROUND_A_FILE;
  const tooMuch = `it unpacks to more than ${limits.totalBytes} bytes`;
  const extract = tar.extract();
  const read = pipeline(
    createReadStream(file),
    createGunzip(),
    atMost(most, () => refuse(tooMuch)),
    extract,
  );
  // What the loop throws says more.
  read.catch(() => {});
  const files: ArchivedFile[] = [];
  const known = new Set<string>();
  const folders = new Set<string>();
  let total = 0;
  for await (const entry of extract) {
    const { name, type, size = 0, mode = 0 } = entry.header;
    const shown = JSON.stringify(name);
    if (type === "directory") {
      entry.resume();
      continue;
    }
    if (type !== "file") throw refuse(`${shown} is a ${type}`);
    if (!isInside(name)) throw refuse(`${shown} would be written outside of it`);
    // There are file systems to which these are the same.
    const place = name.toLowerCase();
    const above = foldersOf(place);
    if (known.has(place) || folders.has(place) || above.some((folder) => known.has(folder))) {
      throw refuse(`${shown} is in it twice`);
    }
    if (known.size >= limits.files) throw refuse(`it holds more than ${limits.files} files`);
    if (size > limits.fileBytes) {
      throw refuse(`${shown} has ${size} bytes, and ${limits.fileBytes} are the most`);
    }
    total += size;
    if (total > limits.totalBytes) throw refuse(tooMuch);
    known.add(place);
    for (const folder of above) folders.add(folder);
    files.push({ path: name, bytes: await buffer(entry), executable: (mode & 0o111) !== 0 });
  }
  await read;
  return files;
}

/** Writes files into an empty folder. */
export async function writeFiles(folder: string, files: readonly ArchivedFile[]): Promise<void> {
  for (const { path, bytes, executable } of files) {
    const place = join(folder, path);
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, bytes, { flag: "wx" });
    if (executable) await chmod(place, 0o755);
  }
}

/** Whether a relative path stays below the folder that it is joined to, on every system. */
export function isInside(path: string): boolean {
  const steps = path.split("/");
  const odd = path.length > 1000 || /[\\\0:]/.test(path);
  return !odd && steps.every((step) => step !== "" && step !== "." && step !== "..");
}

function foldersOf(path: string): string[] {
  const steps = path.split("/").slice(0, -1);
  return steps.map((_, i) => steps.slice(0, i + 1).join("/"));
}

function atMost(bytes: number, refuse: () => Error): Transform {
  let left = bytes;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      left -= chunk.length;
      if (left < 0) done(refuse());
      else done(null, chunk);
    },
  });
}
