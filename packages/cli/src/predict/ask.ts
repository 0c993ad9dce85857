/** One question after the other, in a terminal. */
import type { Question } from "./questions.ts";
import { parsePercent, parseRange } from "./said.ts";

/** What was answered; undefined: left open. */
export type Answer = { probability: number } | { low: number; high: number; unit: string };

const HOW = {
  check: "passes at its first grade? (percent)",
  claim: "holds? (percent)",
  figure: "is measured to be? (such as 0.5..2, right nine times of ten)",
} as const;

/** Answers are told as they are given, so that Ctrl-C, which ends the process, loses none. */
export async function askAll(
  questions: readonly Question[],
  onAnswer: (question: Question, answer: Answer) => Promise<void>,
): Promise<void> {
  // Only here: every kata command would wait for it.
  const { cancel, intro, isCancel, outro, text } = await import("@clack/prompts");
  intro("What will be measured? Enter leaves a question open.");
  for (const question of questions) {
    const answer = await text({
      message: `${question.id}: ${question.asks} — ${HOW[question.about]}`,
      validate: (value) => (value ? complaint(question, value) : undefined),
    });
    if (isCancel(answer)) {
      cancel("What you have said is kept.");
      process.exit(130);
    }
    if (answer) await onAnswer(question, parse(question, answer));
  }
  outro("Kept.");
}

function parse(question: Question, value: string): Answer {
  if (question.about === "figure") return parseRange(value, question);
  return { probability: parsePercent(value) };
}

/** The first line says what is wrong, the next one what is expected. */
function complaint(question: Question, value: string): string | undefined {
  try {
    parse(question, value);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace("\nWhat to do:", " Please");
  }
}
