import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { cacheFolder, sha256Of } from "@db-katas/engines";
import { CliError } from "../errors.ts";

export interface Download {
  readonly url: string;
  readonly signal: AbortSignal;
  /** Told how much of how much has arrived, what an earlier attempt left included. */
  onBytes(bytes: number, of: number): void;
}

/**
 * Fetches a file, going on where an interrupted download of the same file stopped.
 * @returns its path in our cache's folder of downloads, for the caller to remove
 * @throws CliError `DOWNLOAD_FAILED`
 */
export async function download({ url, signal, onBytes }: Download): Promise<string> {
  const head = await ask(url, { method: "HEAD", signal });
  const version = head.headers.get("etag") ?? head.headers.get("last-modified") ?? "";
  const total = Number(head.headers.get("content-length") ?? 0);
  const folder = join(cacheFolder(), "downloads");
  await mkdir(folder, { recursive: true });
  // Another file at the same address is another download.
  const identity = createHash("sha256").update(JSON.stringify([url, version, total]));
  const path = join(folder, `bundle-${identity.digest("hex").slice(0, 16)}.tar`);
  const start = version ? await sizeOf(path) : 0;
  if (start > 0 && start === total) return path;
  const range = start > 0 ? { range: `bytes=${start}-`, "if-range": version } : {};
  const headers = { "accept-encoding": "identity", ...range };
  const answer = await ask(url, { headers, signal });
  const resumed = answer.status === 206;
  let arrived = resumed ? start : 0;
  const counted = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      arrived += chunk.length;
      onBytes(arrived, total);
      yield chunk;
    }
  };
  const file = createWriteStream(path, { flags: resumed ? "a" : "w" });
  try {
    await pipeline(Readable.from(answer.body ?? []), counted, file, { signal });
  } catch (error) {
    throw failed(url, error);
  }
  if (total > 0 && arrived !== total) throw failed(url, `${arrived} of ${total} bytes arrived`);
  return path;
}

/** @throws CliError `BUNDLE_ALTERED` */
export async function assertSha256(file: string, expected: string): Promise<void> {
  const actual = await sha256Of(file);
  if (actual === expected.toLowerCase()) return;
  throw new CliError(
    "BUNDLE_ALTERED",
    `Its SHA-256 is ${actual}, and not the one that was asked for.`,
    {
      likelyCause: "the file is another one, or somebody has changed it on its way",
      remedy: "compare with what `kata engines bundle` or `serve` has printed",
    },
  );
}

async function ask(url: string, init: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url, init);
  } catch (error) {
    throw failed(url, (error as Error).cause ?? error);
  }
  if (!answer.ok) throw failed(url, `HTTP status ${answer.status}`);
  return answer;
}

function failed(url: string, error: unknown): CliError {
  const why = error instanceof Error ? error.message : String(error);
  return new CliError("DOWNLOAD_FAILED", `${url} could not be fetched: ${why}.`, {
    likelyCause: "whoever serves it has ended, or this machine is on another network",
    remedy: "type it again: it goes on where it stopped",
  });
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}
