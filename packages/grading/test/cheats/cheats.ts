import type { Verdict } from "../../src/verdict.ts";

/**
 * `not caught` is full marks for a cheat. `ended` is an honest answer of somebody who leaves
 * something behind, and it was ended. What has no limit by default is `not tried` there.
 */
export type Outcome = Verdict | "not caught" | "ended" | "not tried";

export interface Cheat {
  /** Its folder. */
  readonly name: string;
  readonly tries: string;
  readonly check: "knows" | "meets";
  readonly byDefault: Outcome;
  readonly isolated: Outcome;
  /** Part of what is said when it is caught: it failed for this reason, and not by mistake. */
  readonly says: { readonly byDefault: string; readonly isolated: string };
}

function cheat(
  name: string,
  tries: string,
  [byDefault, isolated]: readonly [Outcome, Outcome],
  says: string | Cheat["says"] = "",
): Cheat {
  const check = name.endsWith("-of-its-own") ? "meets" : "knows";
  const texts = typeof says === "string" ? { byDefault: says, isolated: says } : says;
  return { name, tries, check, byDefault, isolated, says: texts };
}

const both = (outcome: Outcome) => [outcome, outcome] as const;
const tampered = "it wrote to the grader's channel itself";
const wrong = "it is the number that lies there";

export const CHEATS: readonly Cheat[] = [
  cheat("exits-at-import", "`exit(0)` while it is imported", both("crashed"), "exited with code 0"),
  cheat("exits-in-handler", "`exit(0)` in an operation", both("crashed"), "exited with code 0"),
  cheat("loops", "an endless loop in an operation", both("timed out"), "answer() on node a"),
  cheat(
    "loops-async",
    "an endless loop that yields to microtasks",
    both("timed out"),
    "answer() on node a",
  ),
  cheat(
    "loops-at-import",
    "an endless loop while it is imported",
    both("timed out"),
    "import() on node",
  ),
  cheat("patched-globals", "patched globals, prototypes and builtins", both("failed"), wrong),
  cheat(
    "patched-promises",
    "promises that never go on",
    both("timed out"),
    "answer() on node a did not answer",
  ),
  cheat("forged-answers", "answers written to the grader's channel", both("crashed"), tampered),
  cheat(
    "garbage-to-the-grader",
    "bytes that would break a trusting reader",
    both("crashed"),
    tampered,
  ),
  cheat(
    "unsendable-answers",
    "an answer that turns into whatever is expected",
    both("failed"),
    "could not be cloned",
  ),
  cheat("agrees-with-everything", "an answer that agrees with everything", both("failed"), wrong),
  cheat("odd-errors", "errors that only look like errors", both("failed"), "message is no text"),
  cheat("forged-report", "scorecards written by itself", both("failed"), wrong),
  cheat("reads-grading-files", "reading the checks", ["not caught", "failed"], "ENOENT"),
  cheat(
    "reads-the-reference",
    "importing the reference solution",
    ["not caught", "failed"],
    "Cannot find module",
  ),
  cheat(
    "reads-another-run",
    "reading the folders of runs and the grader's environment",
    ["not caught", "failed"],
    "there is nothing to see",
  ),
  cheat(
    "signals-the-grader",
    "signalling the grader, or anybody",
    ["not caught", "failed"],
    "nobody can be signalled",
  ),
  cheat("around-the-proxy", "connecting to the engine around the proxy", both("failed"), {
    byDefault: "DIRECT_CONNECTION",
    isolated: "ECONNREFUSED",
  }),
  cheat(
    "store-of-its-own",
    "all data in a file that its nodes share",
    ["not caught", "failed"],
    "ENOENT",
  ),
  cheat(
    "port-of-its-own",
    "all data in one node, served to the others",
    ["not caught", "failed"],
    "b knows what a put",
  ),
  cheat("outlives-its-run", "a process that outlives the run", both("ended")),
  cheat("outlives-unmarked", "the same, without the grader's mark", ["not tried", "ended"]),
  cheat("too-many-processes", "more than 64 processes", ["not tried", "failed"], "EAGAIN"),
  cheat(
    "too-much-memory",
    "more than 448 MiB of memory, beside the heap",
    ["not tried", "crashed"],
    "it took more memory than it may",
  ),
  cheat("too-much-disk", "more than 100 MiB of files", ["not tried", "failed"], "ENOSPC"),
];

/** For the threat model, which a test holds to it. */
export function formatTable(): string {
  const rows = CHEATS.map(({ name, tries, byDefault, isolated }) => [
    tries,
    byDefault,
    isolated,
    `\`${name}\``,
  ]);
  const head = ["what it tries", "by default", "isolated", "test"];
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [head, widths.map((width) => "-".repeat(width)), ...rows].map(line).join("\n");
}
