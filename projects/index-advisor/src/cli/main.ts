#!/usr/bin/env node
/** `pnpm --filter @db-katas/index-advisor advise --help` */
import { CommanderError } from "commander";
import { AdvisorError, messageOf } from "../errors.ts";
import { ToolError } from "./errors.ts";
import { settingsFrom } from "./program.ts";
import { run } from "./run.ts";
import { shown } from "./terminal.ts";

/** The convention for what Ctrl-C ended: 128 and the signal's number. */
const INTERRUPTED = 130;

const interrupted = new AbortController();
let left = "nothing is left of it";
const interrupt = () => {
  if (interrupted.signal.aborted) {
    process.stderr.write(`Ended at once: ${left}.\n`);
    process.exit(INTERRUPTED);
  }
  process.stderr.write("\nCleaning up; Ctrl-C again ends at once.\n");
  interrupted.abort(new Error("interrupted"));
};
process.on("SIGINT", interrupt);
process.on("SIGTERM", interrupt);

process.exitCode = await (async () => {
  try {
    const settings = settingsFrom(process.argv.slice(2));
    const onDanger = (danger: string) => {
      left = danger;
    };
    if (settings) await run(settings, { signal: interrupted.signal, onDanger });
    return interrupted.signal.aborted ? INTERRUPTED : 0;
  } catch (error) {
    if (interrupted.signal.aborted) return INTERRUPTED;
    process.stderr.write(`${shown(told(error))}\n`);
    return 2;
  }
})();

function told(error: unknown): string {
  if (error instanceof ToolError || error instanceof AdvisorError) {
    return `${error.code}  ${error.message}`;
  }
  if (error instanceof CommanderError) {
    return `BAD_OPTION  ${error.message.replace(/^error: /, "")}\nWhat to do: see --help.`;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
  return `UNEXPECTED  This is a fault of the advisor.\n${text}`;
}
