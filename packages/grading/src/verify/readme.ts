import { GradingError } from "../errors.ts";
import type { KillMatrix } from "./matrix.ts";
import { formatFlake, formatMatrix } from "./matrix-text.ts";

const BEGIN = "<!-- kill-matrix:begin -->";
const END = "<!-- kill-matrix:end -->";

/** A README with its kill matrix, between two markers, replaced. @throws GradingError `README_UNMARKED` */
export function withMatrix(readme: string, matrix: KillMatrix): string {
  const [before, , after] = split(readme);
  return `${before}${BEGIN}\n\n${asMarkdown(matrix)}\n\n${END}${after}`;
}

/** Whom the matrix in a README is about; nobody where there is none. */
export function namesInReadme(readme: string): { checks: string[]; mutants: string[] } {
  if (!readme.includes(BEGIN)) return { checks: [], mutants: [] };
  const lines = split(readme)[1].split("\n");
  const after = (first: RegExp) => lines.slice(lines.findIndex((text) => first.test(text)) + 1);
  const until = (list: string[]) =>
    list.slice(
      0,
      list.findIndex((text) => !/^ +\S/.test(text)),
    );
  const word = (index: number) => (text: string) => text.trim().split(/ +/)[index] ?? "";
  return {
    checks: until(after(/^ +# +check/)).map(word(1)),
    mutants: until(after(/^mutants$/)).map(word(0)),
  };
}

function asMarkdown(matrix: KillMatrix): string {
  const engines = matrix.engines.map(
    ({ name, version, provider }) => `${name} ${version} (${provider})`,
  );
  const on = [...engines, `Node ${matrix.node.slice(1)}`].join(", ");
  const repeat = matrix.repeat > 1 ? ` --repeat ${matrix.repeat}` : "";
  return [
    "```text",
    formatMatrix(matrix),
    "```",
    "",
    `Made on ${matrix.startedAt.slice(0, 10)} by`,
    `\`pnpm kata verify ${matrix.kata} --full --write${repeat} --seed ${matrix.seed}\` with ${on}.`,
    `${capital(formatFlake(matrix))}.`,
  ].join("\n");
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function split(readme: string): [before: string, inside: string, after: string] {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin === -1 || end < begin) {
    throw new GradingError("README_UNMARKED", "The README has no place for the kill matrix.", {
      likelyCause: `it lacks the lines ${BEGIN} and ${END}`,
      remedy: "put both lines where the matrix shall stand, and run the command again",
    });
  }
  return [
    readme.slice(0, begin),
    readme.slice(begin + BEGIN.length, end),
    readme.slice(end + END.length),
  ];
}
