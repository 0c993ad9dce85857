/** Somebody writes a text: mostly on from where they are, sometimes back, sometimes elsewhere. */
import { letter, type Random, whole } from "./stage.ts";

export interface Keystroke {
  readonly at: number;
  readonly removes: number;
  readonly inserts: string;
}

/** Of a hundred keystrokes. What is typed stays in the end, mostly, as texts do that somebody finishes. */
const BACKSPACES = 12;
const JUMPS = 2;

export function typed(random: Random, keystrokes: number): Keystroke[] {
  const made: Keystroke[] = [];
  let length = 0;
  let at = 0;
  while (made.length < keystrokes) {
    const dice = whole(random, 100);
    if (dice < JUMPS) at = whole(random, length + 1);
    if (dice >= 100 - BACKSPACES && at > 0) {
      at -= 1;
      length -= 1;
      made.push({ at, removes: 1, inserts: "" });
    } else {
      made.push({ at, removes: 0, inserts: letter(random) });
      at += 1;
      length += 1;
    }
  }
  return made;
}

/** What they come to. */
export function textOf(keystrokes: readonly Keystroke[]): string {
  const characters: string[] = [];
  for (const { at, removes, inserts } of keystrokes) characters.splice(at, removes, ...inserts);
  return characters.join("");
}
