import { EngineError } from "@db-katas/engines";
import { ExplainedError } from "@db-katas/engines/explained-error";
import { terminalPaint } from "@db-katas/grading";
import { MeasureError } from "@db-katas/measure/errors";
import yoctoSpinner, { type Spinner } from "yocto-spinner";
import { asTypedHere } from "./typed.ts";

/** Progress goes to stderr, results to stdout, so that `--json` can be piped. */
export interface Progress {
  update(text: string): void;
  /** Writes a line for good, above whatever is moving. */
  line(text: string): void;
  stop(): void;
}

/** A spinner where there is a terminal; elsewhere only the lines meant for good. */
export function startProgress(options: { quiet?: boolean } = {}): Progress {
  const live = process.stderr.isTTY && !options.quiet;
  let spinner: Spinner | undefined;
  return {
    update: (text) => {
      if (!live) return;
      if (spinner) spinner.text = text;
      else spinner = yoctoSpinner({ text, stream: process.stderr }).start();
    },
    line: (text) => {
      const text_ = spinner?.text;
      spinner?.stop();
      spinner = undefined;
      if (!options.quiet) process.stdout.write(`${asTypedHere(text)}\n`);
      if (text_ !== undefined && live) {
        spinner = yoctoSpinner({ text: text_, stream: process.stderr }).start();
      }
    },
    stop: () => {
      spinner?.stop();
      spinner = undefined;
    },
  };
}

/** Writes an error for people and tells the exit code: 2, ours or the machine's to mend. */
export function reportError(error: unknown): number {
  const known =
    error instanceof ExplainedError ||
    error instanceof EngineError ||
    error instanceof MeasureError;
  if (known) {
    process.stderr.write(
      `${terminalPaint("red", `${error.code}`)}  ${asTypedHere(error.message)}\n`,
    );
  } else {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(
      `${terminalPaint("red", "UNEXPECTED")}  This is a fault of db-katas, not of your code.\n${text}\n`,
    );
  }
  return 2;
}
