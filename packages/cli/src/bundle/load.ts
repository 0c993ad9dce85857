import { rm } from "node:fs/promises";
import type { LoadedPackage } from "@db-katas/engines";
import { terminalPaint } from "@db-katas/grading";
import { startBar } from "../install.ts";
import type { Session } from "../session.ts";
import { assertSha256, download } from "./download.ts";

export interface LoadOptions {
  /** A file, or an http address. */
  readonly from: string;
  /** What the whole file's must be. */
  readonly sha256?: string | undefined;
  /** Where stdout is for somebody else. */
  readonly quiet: boolean;
}

/** @throws CliError, EngineError */
export async function loadBundle(
  { engines, signal }: Pick<Session, "engines" | "signal">,
  { from, sha256, quiet }: LoadOptions,
): Promise<LoadedPackage[]> {
  const remote = /^https?:\/\//.test(from);
  const file = remote ? await fetchBundle(from, signal, quiet) : from;
  const loaded: LoadedPackage[] = [];
  try {
    if (sha256 !== undefined) await assertSha256(file, sha256);
    await engines.loadBundle(file, (each) => {
      loaded.push(each);
      if (!quiet) process.stdout.write(`${formatLoaded(each)}\n`);
    });
  } finally {
    // One that can't be used would be found again.
    if (remote && !signal.aborted) await rm(file, { force: true });
  }
  return loaded;
}

/** The last line. */
export function formatOutcome(loaded: readonly LoadedPackage[]): string {
  if (loaded.every(({ state }) => state === "here")) return "Everything was there already.";
  return loaded.some(({ state }) => state === "unknown")
    ? "Loaded but for what is unknown here: it was made by another version of db-katas."
    : "Loaded. What is ready now: pnpm kata doctor";
}

function formatLoaded({ what, state }: LoadedPackage): string {
  if (state === "here") return `${what} is there`;
  if (state === "unknown") return `${what} is unknown here`;
  return `${terminalPaint("green", "✓")} ${what}`;
}

async function fetchBundle(url: string, signal: AbortSignal, quiet: boolean): Promise<string> {
  let bar: ReturnType<typeof startBar>;
  try {
    return await download({
      url,
      signal,
      onBytes: (bytes, of) => {
        bar ??= startBar({ what: url, bytes: of }, quiet);
        bar?.update(bytes);
      },
    });
  } finally {
    bar?.stop();
  }
}
