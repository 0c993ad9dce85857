import { EngineError } from "@db-katas/engines";
import { terminalPaint } from "@db-katas/grading";
import { type Installed, installEngines } from "./install.ts";
import { reportError, startProgress } from "./output.ts";
import type { Session } from "./session.ts";

/** What became of one engine's first lease. */
export type Warmed =
  | { readonly engine: string; readonly ready: true; readonly source: string; readonly ms: number }
  | {
      readonly engine: string;
      readonly ready: false;
      readonly error: { readonly code: string; readonly message: string };
    };

export interface WarmResult {
  readonly installed: readonly Installed[];
  readonly warmed: readonly Warmed[];
}

/**
 * Fetches what the engines lack, then takes a lease on each and gives it back: what a first lease
 * prepares is kept, and the next one finds it.
 * @param quiet where stdout is for somebody else
 */
export async function warmEngines(
  session: Pick<Session, "engines" | "signal">,
  engines: readonly string[],
  quiet: boolean,
): Promise<WarmResult> {
  const { engines: run, signal } = session;
  const fetched: string[] = [];
  for (const engine of engines) {
    const { chosen } = await run.probe(engine);
    // A server of the user's, or an image, needs no package.
    if (!chosen || chosen.provider === "process") fetched.push(engine);
  }
  const installed = await installEngines(session, fetched, quiet);
  const warmed: Warmed[] = [];
  for (const engine of engines) {
    if (signal.aborted) break;
    const { chosen } = await run.probe(engine);
    // What could not be fetched a moment ago has been reported; a lease would only try again.
    const lacking = chosen?.provider === "process" ? chosen.fetch : undefined;
    warmed.push(
      lacking
        ? { engine, ready: false, error: { code: "FETCH_FAILED", message: lacking.what } }
        : await warmOne(session, engine, quiet),
    );
  }
  return { installed, warmed };
}

export function isWarm({ installed, warmed }: WarmResult): boolean {
  return installed.every(({ state }) => state === "here") && warmed.every(({ ready }) => ready);
}

/** The last line. */
export function formatWarm({ warmed }: WarmResult): string {
  const cold = warmed.filter(({ ready }) => !ready).length;
  if (cold > 0) return `Not all ready: ${cold} of ${warmed.length} did not start.`;
  return `Ready: ${warmed.map(({ engine }) => engine).join(", ")}.`;
}

async function warmOne(
  { engines: run, signal }: Pick<Session, "engines" | "signal">,
  engine: string,
  quiet: boolean,
): Promise<Warmed> {
  const progress = startProgress({ quiet });
  progress.update(`${engine}: its first lease`);
  const start = performance.now();
  try {
    await using lease = await run.lease(engine);
    const ms = Math.round(performance.now() - start);
    const { source, version } = lease.engine;
    const seconds = (ms / 1000).toFixed(1);
    // Ended in the middle of it, nobody reads on.
    if (!signal.aborted)
      progress.line(
        `${terminalPaint("green", "✓")} ${engine} ${version}, first lease after ${seconds} s: ${source}`,
      );
    return { engine, ready: true, source, ms };
  } catch (error) {
    // Whoever has ended it knows why nothing more comes.
    if (!(error instanceof EngineError) && !signal.aborted) throw error;
    const { code, message } = error as EngineError;
    if (!quiet && !signal.aborted) reportError(error);
    return { engine, ready: false, error: { code, message } };
  } finally {
    progress.stop();
  }
}
