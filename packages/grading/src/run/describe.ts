import { pathToFileURL } from "node:url";
import type { Lease } from "@db-katas/engines";
import { messageOf } from "../kata.ts";
import type { CheckFailureReport } from "../report/scorecard.ts";
import type { AppProcess } from "../submission/process.ts";
import { type Trace, tellingEvents } from "../trace.ts";
import {
  CheckFailure,
  SubmissionCrashed,
  SubmissionError,
  SubmissionTimedOut,
} from "../verdict.ts";
import { engineLogs } from "./engine-log.ts";

const TRACE_SHOWN = 16;
const FRAMES_SHOWN = 5;
/** Characters of each node's output. */
const STDERR_SHOWN = 2_000;

export interface Scene {
  readonly trace: Trace;
  readonly processes: ReadonlyMap<string, AppProcess>;
  readonly leases: ReadonlyMap<string, Lease>;
  /** The submission's folder. */
  readonly folder: string;
  /** When the check began, in milliseconds since the epoch. */
  readonly startedAt: number;
}

/** All that whoever has to understand a failure may need. */
export async function describeFailure(error: unknown, scene: Scene): Promise<CheckFailureReport> {
  const { trace, processes, leases, folder, startedAt } = scene;
  const engineLog = await engineLogs(leases, startedAt + (trace.events[0]?.atMs ?? 0));
  const told = tell(error, folder);
  const stderr =
    told.stderr ||
    [...processes.values()]
      .filter((started) => started.stderr !== "")
      .map((started) => `── node ${started.name}\n${lastOf(started.stderr)}`)
      .join("\n");
  return {
    detail: [],
    ...told,
    trace: tellingEvents(trace.events, TRACE_SHOWN),
    ...(stderr ? { stderr } : {}),
    ...(engineLog ? { engineLog } : {}),
  };
}

/** Whole lines where there are several, and how many came before them. */
function lastOf(text: string): string {
  const cut = text.length - STDERR_SHOWN;
  if (cut <= 0) return text;
  const line = text.indexOf("\n", cut) + 1;
  const from = line > 0 && line < text.length ? line : cut;
  const before = text.slice(0, from).split("\n").length - 1;
  return `(${before} more ${before === 1 ? "line" : "lines"} before)\n${text.slice(from)}`;
}

function tell(
  error: unknown,
  folder: string,
): { message: string } & Partial<Omit<CheckFailureReport, "message">> {
  if (error instanceof CheckFailure) {
    return {
      message: error.message,
      detail: [...error.detail],
      ...(error.expected === undefined ? {} : { expected: error.expected }),
      ...(error.received === undefined ? {} : { received: error.received }),
    };
  }
  if (error instanceof SubmissionError) {
    const code = error.code ? `${error.code}: ` : "";
    const where = error.operation === error.node ? "" : ` on node ${error.node}`;
    // A method by its name, a request of a protocol as it is.
    const asked = /\W/.test(error.operation) ? error.operation : `${error.operation}()`;
    return {
      message: `${asked}${where} rejected: ${code}${error.message}`,
      detail: ownFrames(error.remoteStack, folder),
      ...locationIn(error.remoteStack, folder),
    };
  }
  if (error instanceof SubmissionCrashed) {
    return {
      message: `The process of node ${error.node} broke: ${error.message}.`,
      stderr: error.stderr,
      ...locationIn(error.stderr, folder),
    };
  }
  if (error instanceof SubmissionTimedOut) return { message: error.message };
  return {
    message: messageOf(error),
    detail: error instanceof Error ? (error.stack?.split("\n").slice(1, 8) ?? []) : [],
  };
}

/** The frames of a stack that are the submission's own, with paths that start at its folder. */
function ownFrames(stack: string | undefined, folder: string): string[] {
  const root = pathToFileURL(`${folder}/`).href;
  return (stack?.split("\n") ?? [])
    .filter((line) => line.includes(root) && !line.includes("node_modules"))
    .slice(0, FRAMES_SHOWN)
    .map((line) => line.trim().replace(root, ""));
}

/** Where in the submission the topmost of its own frames is; of a file that doesn't parse, the place. */
export function locationIn(
  stack: string | undefined,
  folder: string,
): Pick<CheckFailureReport, "location"> {
  const [frame] = ownFrames(stack, folder);
  const [, file, line, column = "1"] = /([^\s(]+?):(\d+)(?::(\d+))?\)?$/.exec(frame ?? "") ?? [];
  if (file === undefined) return {};
  return { location: { file: decodeURI(file), line: Number(line), column: Number(column) } };
}
