import { terminalPaint } from "@db-katas/grading";

/** `note` is worth knowing and stands in nobody's way. */
export type State = "ok" | "note" | "fixable" | "administrator";

/** One thing that was looked at. */
export interface Finding {
  readonly what: string;
  readonly state: State;
  readonly detail: string;
  /** What to type, or to do. */
  readonly remedy?: string;
  /** Why there is nothing better, one reason each. */
  readonly reasons?: readonly string[];
}

/** 0 ready, 1 fixable by who asks, 2 needs an administrator. */
export function exitCodeOf(findings: readonly Finding[]): 0 | 1 | 2 {
  if (findings.some(({ state }) => state === "administrator")) return 2;
  return findings.some(({ state }) => state === "fixable") ? 1 : 0;
}

/** Whom a remedy asks for: one of several ways that takes no administrator is enough. */
export function stateFor(remedies: readonly string[]): State {
  const all =
    remedies.length > 0 && remedies.every((remedy) => /^(sudo|su|doas|apk) /.test(remedy));
  return all && process.getuid?.() !== 0 ? "administrator" : "fixable";
}

const MARKS = {
  ok: () => terminalPaint("green", "✓"),
  note: () => terminalPaint("gray", "·"),
  fixable: () => terminalPaint("red", "✗"),
  administrator: () => terminalPaint("red", "✗"),
};

export function formatFinding({ what, state, detail, remedy, reasons = [] }: Finding): string {
  const lines = [
    `  ${MARKS[state]()} ${what}: ${detail}`,
    ...reasons.map((each) => `      ${each}`),
  ];
  if (remedy) lines.push(terminalPaint("gray", `      →  ${remedy}`));
  return lines.join("\n");
}
