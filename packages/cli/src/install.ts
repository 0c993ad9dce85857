import { EngineError, type EngineRun, type PackageState } from "@db-katas/engines";
import { terminalPaint } from "@db-katas/grading";
import { SingleBar } from "cli-progress";
import prettyBytes from "pretty-bytes";
import { reportError } from "./output.ts";
import type { Session } from "./session.ts";

/** What became of one package. */
export type Installed = { readonly engine: string } & (
  | (PackageState & { readonly fetched: boolean })
  | (Omit<Extract<PackageState, { state: "absent" }>, "state"> & {
      readonly state: "failed";
      readonly error: { readonly code: string; readonly message: string };
    })
);

interface Item {
  readonly engine: string;
  readonly each: PackageState;
}

/**
 * Fetches what the engines lack, having said what that is. What can't be fetched stops nothing else.
 * @param quiet where stdout is for somebody else
 */
export async function installEngines(
  { engines: run, signal }: Pick<Session, "engines" | "signal">,
  engines: readonly string[],
  quiet: boolean,
): Promise<Installed[]> {
  const say = (text: string) => quiet || process.stdout.write(`${text}\n`);
  const plan: Item[] = [];
  for (const engine of engines) {
    const states = await run.packages(engine);
    if (states.length === 0)
      say(`${engine}: nothing is ever fetched (${await sourceOf(run, engine)})`);
    // Two engines may need the same: it is fetched once.
    for (const each of states)
      if (!plan.some((known) => known.each.name === each.name)) plan.push({ engine, each });
  }
  for (const line of announce(plan)) say(line);
  const results: Installed[] = [];
  try {
    for (const { engine, each } of plan) {
      if (each.state === "absent") results.push(await fetchOne(run, engine, each, quiet));
      else results.push({ engine, ...each, fetched: false });
    }
  } catch (error) {
    // Whoever has ended it knows why nothing more comes.
    if (!signal.aborted) throw error;
  }
  return results;
}

/** The last line. */
export function formatOutcome(results: readonly Installed[]): string {
  const missing = results.filter(({ state }) => state !== "here").length;
  if (missing > 0) return `Not all there: ${missing} of ${results.length} could not be fetched.`;
  return results.some((each) => each.state === "here" && each.fetched)
    ? "All there."
    : "Everything was there already.";
}

async function sourceOf(run: EngineRun, engine: string): Promise<string> {
  const { chosen } = await run.probe(engine);
  return chosen?.source ?? "not to be had here: pnpm kata engines status";
}

function announce(plan: readonly Item[]): string[] {
  const here = plan.flatMap(({ engine, each }) =>
    each.state === "here" ? [`${engine}: ${each.name} is there: ${each.source}`] : [],
  );
  const unavailable = plan.flatMap(({ engine, each }) =>
    each.state === "unavailable"
      ? [`${engine}: ${each.name} is not to be had: ${each.reason}`, `  →  ${each.remedy}`]
      : [],
  );
  const absent = plan.flatMap(({ engine, each }) =>
    each.state === "absent"
      ? [`  ${engine}: ${each.what}, about ${prettyBytes(each.bytes)}, ${each.licence}`]
      : [],
  );
  return [...here, ...unavailable, ...(absent.length > 0 ? ["To be fetched:", ...absent] : [])];
}

async function fetchOne(
  run: EngineRun,
  engine: string,
  wanted: Extract<PackageState, { state: "absent" }>,
  quiet: boolean,
): Promise<Installed> {
  const bar = startBar(wanted, quiet);
  try {
    // Sizes are about right, so that the bar never says more than was announced.
    const state = await run.install(engine, wanted.name, (bytes) =>
      bar?.update(Math.min(bytes, wanted.bytes)),
    );
    bar?.stop();
    if (!quiet) process.stdout.write(`${terminalPaint("green", "✓")} ${engine}: ${wanted.what}\n`);
    return { engine, ...state, fetched: true };
  } catch (error) {
    bar?.stop();
    if (!(error instanceof EngineError) || error.code !== "FETCH_FAILED") throw error;
    if (!quiet) reportError(error);
    const { code, message } = error;
    return { engine, ...wanted, state: "failed", error: { code, message } };
  }
}

/** On a terminal only. */
export function startBar({ what, bytes }: { what: string; bytes: number }, quiet: boolean) {
  if (quiet || !process.stderr.isTTY) return undefined;
  const bar = new SingleBar({
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
    gracefulExit: true,
    format: `  {bar} {percentage} %  ${what}`,
  });
  bar.start(bytes, 0);
  return bar;
}
