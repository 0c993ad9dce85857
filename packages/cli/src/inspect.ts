import type { GradeOptions } from "@db-katas/grading";
import { CliError } from "./errors.ts";
import type { Progress } from "./output.ts";

/**
 * What `--inspect [check]` asks of a grade.
 * @throws CliError `CHECK_UNCLEAR`
 */
export function inspection(
  option: string | boolean,
  checks: readonly string[] | undefined,
  progress: Progress,
): { check: string[]; inspect: NonNullable<GradeOptions["inspect"]> } {
  const check = typeof option === "string" ? option : checks?.[0];
  if (check === undefined) {
    throw new CliError("CHECK_UNCLEAR", "--inspect doesn't say which check to look at.", {
      remedy: "add --check <id>; pnpm kata grade names the ids",
    });
  }
  const onInspector = (node: string, url: string) => {
    const { host, pathname } = new URL(url);
    progress.line(
      [
        `  node ${node} waits for a debugger, with no time limit:`,
        `      node inspect ${host}`,
        `      in Chrome: devtools://devtools/bundled/js_app.html?experiments=true&v8only=true&ws=${host}${pathname}`,
      ].join("\n"),
    );
  };
  return { check: checks ? [...checks] : [check], inspect: { check, onInspector } };
}
