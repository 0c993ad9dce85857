/** Programs in a terminal of their own, as a person would meet them. */
import { stripVTControlCharacters } from "node:util";
import { spawn } from "@lydell/node-pty";

export const KEYS = { up: "\x1b[A", interrupt: "\x03", rubOut: "\x7f" } as const;

/** What is on the screen before something is typed, and what is typed then. */
export type Step = readonly [shows: string, type: string];

export interface Session {
  readonly code: number;
  /** Everything that was ever shown, without colours and movements. */
  readonly shown: string;
}

/** Waits for each step's text, new since the last one, before it types. */
export async function inTerminal(
  cwd: string,
  args: readonly string[],
  steps: readonly Step[],
): Promise<Session> {
  const { CI: _, ...env } = process.env;
  const terminal = spawn(process.execPath, [...args], { cwd, env, cols: 120, rows: 40 });
  let [shown, seen] = ["", 0];
  const left = [...steps];
  terminal.onData((data) => {
    shown += data;
    const plain = stripVTControlCharacters(shown);
    for (let next = left[0]; next; next = left[0]) {
      const at = plain.indexOf(next[0], seen);
      if (at === -1) return;
      seen = at + next[0].length;
      left.shift();
      terminal.write(next[1]);
    }
  });
  const code = await new Promise<number>((resolve) => {
    terminal.onExit(({ exitCode }) => resolve(exitCode));
  });
  if (left[0]) throw new Error(`It never showed "${left[0][0]}":\n${shown}`);
  return { code, shown: stripVTControlCharacters(shown) };
}
