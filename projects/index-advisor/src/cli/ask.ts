import { badOption } from "./errors.ts";

/** @throws ToolError `BAD_OPTION` where there is nobody to ask */
export async function confirmed(message: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw badOption(
      "--apply",
      "without a terminal",
      "--yes too, which says that nobody needs to be asked",
    );
  }
  // Only here: nobody else needs to wait for it.
  const { confirm, isCancel } = await import("@clack/prompts");
  const answer = await confirm({ message, initialValue: false, output: process.stderr });
  return !isCancel(answer) && answer;
}
