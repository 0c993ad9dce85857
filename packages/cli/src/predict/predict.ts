import { fingerprint, loadRubric, terminalPaint } from "@db-katas/grading";
import { CliError } from "../errors.ts";
import { readClaims } from "../falsify/logs.ts";
import { asTypedHere } from "../typed.ts";
import { findWorkspace, resolveTarget, type Target } from "../workspace.ts";
import { type Answer, askAll } from "./ask.ts";
import { attemptOf, standingsIn } from "./attempts.ts";
import { addPrediction, type Prediction } from "./predictions.ts";
import { findQuestion, type Question, questionsOf } from "./questions.ts";
import { parseNamed, parsePercent, parseRange, parseVerdict } from "./said.ts";
import type { Standing } from "./standings.ts";
import { formatQuestions, many, saidOf } from "./text.ts";

export interface PredictOptions {
  readonly kata?: string;
  readonly check?: readonly string[];
  readonly claim?: readonly string[];
  readonly figure?: readonly string[];
  readonly list?: boolean;
  readonly score?: boolean;
  readonly html?: string | true;
  readonly json?: boolean;
}

type Said = readonly [Question, Answer];

export async function predictCommand(
  named: string | undefined,
  options: PredictOptions,
): Promise<void> {
  const workspace = await findWorkspace(process.cwd());
  if (options.score) {
    const { scoreCommand } = await import("./score-command.ts");
    return scoreCommand(workspace, named, options);
  }
  const asked = options.kata === undefined ? {} : { kata: options.kata };
  const target = await resolveTarget(workspace, named, asked, process.cwd());
  const attempt = attemptOf(workspace, target);
  const bound = await readClaims(workspace, [target.kata]);
  const questions = questionsOf(
    await loadRubric(target.kata),
    bound.map(({ claim }) => claim),
  );
  const keep = async (question: Question, answer: Answer) => {
    const { about, id } = question;
    const code = await fingerprint(target.submission);
    const at = new Date().toISOString();
    await addPrediction(attempt, { at, fingerprint: code, about, id, ...answer } as Prediction);
  };
  const said = options.list ? [] : saidIn(options, questions, target.typed);
  for (const [question, answer] of said) await keep(question, answer);
  if (!options.list && said.length === 0) {
    assertTerminal(target.typed, options);
    const standings = await standingsIn(attempt, target.kata, questions);
    await askAll(openOf(questions, standings), keep);
  }
  const standings = await standingsIn(attempt, target.kata, questions);
  if (options.json) printJson(target, questions, standings);
  else if (options.list) process.stdout.write(formatQuestions(questions, standings, terminalPaint));
  else if (said.length > 0) process.stdout.write(asTypedHere(formatKept(target, said, standings)));
}

/** @throws CliError `QUESTION_UNKNOWN`, `PREDICTION_UNCLEAR`: then nothing is kept */
function saidIn(
  { check = [], claim = [], figure = [] }: PredictOptions,
  questions: readonly Question[],
  typed: string,
): Said[] {
  const read = (
    about: Question["about"],
    texts: readonly string[],
    example: string,
    parse: (value: string, question: Question) => Answer,
  ) =>
    texts.map((text): Said => {
      const [id, value] = parseNamed(text, `--${about} ${example}`);
      const question = findQuestion(questions, about, id, typed);
      return [question, parse(value, question)];
    });
  return [
    ...read("check", check, "<id>=80", (value) => ({ probability: parsePercent(value) })),
    ...read("claim", claim, "<id>=held:70", (value) => ({ probability: parseVerdict(value) })),
    ...read("figure", figure, "<id>=0.5..2", parseRange),
  ];
}

/** @throws CliError `PREDICTION_MISSING` */
function assertTerminal(typed: string, { json }: PredictOptions): void {
  if (process.stdin.isTTY && process.stdout.isTTY && !json) return;
  throw new CliError("PREDICTION_MISSING", "Nothing was predicted.", {
    likelyCause: "questions are asked in a terminal only; elsewhere flags say it",
    remedy: `pnpm kata predict ${typed} --list, then --check <id>=80`,
  });
}

/** What can still be predicted, and isn't yet. */
function openOf(questions: readonly Question[], standings: readonly Standing[]): Question[] {
  const open = standings.filter((each) => !each.measurement && !each.prediction);
  return questions.filter(({ about, id }) =>
    open.some((each) => each.about === about && each.id === id),
  );
}

function formatKept(
  { kata, typed }: Target,
  said: readonly Said[],
  standings: readonly Standing[],
): string {
  const width = Math.max(...said.map(([{ id }]) => id.length));
  const lines = said.map(([{ about, id }]) => {
    const standing = standings.find((each) => each.about === about && each.id === id);
    const at = standing?.measurement?.firstAt.slice(0, 10);
    const late = `too late, it was measured on ${at}: kept, and not counted`;
    return `  ${id.padEnd(width)}  ${at ? late : standing && saidOf(standing)}`;
  });
  return [
    `${kata.name}: ${many(said.length, "prediction")} kept`,
    ...lines,
    `What comes of it: pnpm kata grade ${typed}, pnpm kata predict ${typed} --score`,
    "",
  ].join("\n");
}

function printJson(
  { kata, submission }: Target,
  questions: readonly Question[],
  standings: readonly Standing[],
): void {
  const all = questions.map((question) => {
    const { about, id } = question;
    const standing = standings.find((each) => each.about === about && each.id === id);
    return { ...question, ...standing };
  });
  const shown = { kata: kata.name, submission: submission.label, questions: all };
  process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
}
