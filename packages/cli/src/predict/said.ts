/** What people type: a percentage, a verdict with one, a range. */
import { parseUnit } from "@db-katas/measure";
import { CliError } from "../errors.ts";
import type { Question } from "./questions.ts";

/** `80` or `80%`, as 0.8. A whole number, since `0.8` may mean two things. @throws CliError `PREDICTION_UNCLEAR` */
export function parsePercent(text: string): number {
  const percent = /^(\d{1,3}) ?%?$/.exec(text.trim())?.[1];
  if (percent === undefined || Number(percent) > 100) {
    throw unclear(`"${text}" is no probability`, "a whole number of percent, from 0 to 100");
  }
  return Number(percent) / 100;
}

/** `held:70` or `falsified:70`, as the probability that the claim holds. @throws CliError `PREDICTION_UNCLEAR` */
export function parseVerdict(text: string): number {
  const [, verdict, percent] = /^(held|falsified):(.*)$/.exec(text.trim()) ?? [];
  if (verdict === undefined || percent === undefined) {
    throw unclear(`"${text}" says nothing about a claim`, "held:70, or falsified:70");
  }
  const probability = parsePercent(percent);
  // 1 - 0.7 is a little more than 0.3.
  return verdict === "held" ? probability : Math.round((1 - probability) * 100) / 100;
}

const NUMBER = String.raw`-?\d+(?:\.\d+)?(?:e[+-]?\d+)?`;
const RANGE = new RegExp(`^(${NUMBER}) ?(?:\\.\\.|…) ?(${NUMBER})$`);

/** `0.5..2`, in base units. @throws CliError `PREDICTION_UNCLEAR` */
export function parseRange(
  text: string,
  { unit = "" }: Pick<Question, "unit">,
): { low: number; high: number; unit: string } {
  const [, low, high] = RANGE.exec(text.trim()) ?? [];
  if (low === undefined || Number(low) > Number(high)) {
    const inUnit = unit ? `, in ${unit} and without it` : "";
    throw unclear(`"${text}" is no range`, `two numbers, the smaller one first: 0.5..2${inUnit}`);
  }
  const { factor } = parseUnit(unit);
  return { low: Number(low) * factor, high: Number(high) * factor, unit };
}

/** `redis-killed=80` @throws CliError `PREDICTION_UNCLEAR` */
export function parseNamed(text: string, example: string): [id: string, value: string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at).trim(), text.slice(at + 1)];
  throw unclear(`"${text}" doesn't say what of`, example);
}

function unclear(happened: string, expected: string): CliError {
  return new CliError("PREDICTION_UNCLEAR", `${happened}.`, { remedy: `say ${expected}` });
}
