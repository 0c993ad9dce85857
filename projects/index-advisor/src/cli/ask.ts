import { ToolError } from "./errors.ts";

/** @throws ToolError `BAD_OPTION` where there is nobody to ask */
export function assertAskable(): void {
  if (process.stdin.isTTY && process.stderr.isTTY) return;
  throw new ToolError(
    "BAD_OPTION",
    "--apply asks before it changes anything, and there is no terminal to ask at. Say --yes too, and nobody is asked.",
  );
}

export async function confirmed(message: string): Promise<boolean> {
  // Only here: nobody else needs to wait for it.
  const { confirm, isCancel } = await import("@clack/prompts");
  const answer = await confirm({ message, initialValue: false, output: process.stderr });
  if (!isCancel(answer)) return answer;
  // While it asks, Ctrl-C is a key like others, and no signal comes of it.
  process.emit("SIGINT", "SIGINT");
  return false;
}
