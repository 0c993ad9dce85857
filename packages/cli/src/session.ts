import { type EngineRun, openEngines } from "@db-katas/engines";
import { freshSeed } from "@db-katas/grading";
import { InvalidArgumentError } from "commander";
import { openCompileCache, ownCompileCache } from "./compile-cache.ts";
import { CliError } from "./errors.ts";
import type { Progress } from "./output.ts";

/** Ends by itself on Ctrl-C or SIGTERM: engines down, folders gone, then exit code 130 or 143. */
export interface Session extends AsyncDisposable {
  readonly engines: EngineRun;
  readonly signal: AbortSignal;
  readonly compileCache: string;
}

/** @param options.interruptible Ctrl-C ends it. Default true; false where it belongs to somebody else. */
export async function openSession(
  progress: Progress,
  options: { readonly interruptible?: boolean } = {},
): Promise<Session> {
  assertEngineKey();
  const [compileCache] = await Promise.all([
    openCompileCache(),
    openCompileCache(ownCompileCache()),
  ]);
  const controller = new AbortController();
  const engines = await openEngines({
    onProgress: (event) => progress.update(event),
    signal: controller.signal,
  });
  const onSignal = (signal: NodeJS.Signals) => {
    progress.stop();
    process.stderr.write(`\n${signal}: stopping the engines\n`);
    controller.abort();
    const end = () => process.exit(signal === "SIGINT" ? 130 : 143);
    engines[Symbol.asyncDispose]().then(end, end);
  };
  const onInterrupt = options.interruptible === false ? () => {} : onSignal;
  process.on("SIGINT", onInterrupt).once("SIGTERM", onSignal);
  return {
    engines,
    signal: controller.signal,
    compileCache,
    [Symbol.asyncDispose]: async () => {
      process.off("SIGINT", onInterrupt).off("SIGTERM", onSignal);
      await engines[Symbol.asyncDispose]();
    },
  };
}

/**
 * turbo remembers what passed. Without the engines' versions in its key, it would remember a pass
 * on an engine that is no longer here.
 * @throws CliError `NO_ENGINE_KEY`
 */
function assertEngineKey(): void {
  if (!process.env.TURBO_HASH || process.env.KATA_ENGINE_KEY) return;
  throw new CliError("NO_ENGINE_KEY", "turbo was started without KATA_ENGINE_KEY.", {
    likelyCause: "`turbo test` was called directly; its cache would not notice another engine",
    remedy: "pnpm test",
  });
}

/** `--seed`, else `KATA_SEED`, else a fresh one. */
export function chooseSeed(option: number | undefined): number {
  const fromEnvironment = process.env.KATA_SEED;
  if (option !== undefined) return option;
  return fromEnvironment ? parseSeed(fromEnvironment) : freshSeed();
}

export function parseSeed(text: string): number {
  const seed = Number(text);
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 31) {
    throw new InvalidArgumentError("A seed is a whole number from 0 to 2147483647.");
  }
  return seed;
}
