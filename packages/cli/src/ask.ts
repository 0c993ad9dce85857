import { type Answers, answerMissing, type Part, type Question } from "@db-katas/generators";

/**
 * What flags and arguments left open, and has no default, is asked where there is a terminal.
 * @throws GeneratorError `ANSWER_MISSING`, and what the questions have against what was said
 */
export async function completed(part: Part, root: string, said: Answers): Promise<Answers> {
  const answers: Record<string, Answers[string]> = { ...said };
  for (const { name, check } of part.questions) {
    const value = said[name];
    if (typeof value === "string") check?.(value);
  }
  for (const question of part.questions) {
    if (!question.required || isSaid(answers[question.name])) continue;
    if (!isInteractive()) {
      throw answerMissing(`pnpm kata new ${part.name}`, question.message, spelled(question));
    }
    answers[question.name] = await ask(question, root, answers);
  }
  return answers;
}

/** As one types it. */
export function spelled({ name, value = name, positional, flag, many }: Question): string {
  if (flag) return `--${name}`;
  return positional ? `<${name}>` : `--${name} <${value}${many ? "..." : ""}>`;
}

function isSaid(answer: Answers[string]): boolean {
  return answer !== undefined && answer.length > 0;
}

function isInteractive(): boolean {
  return Boolean(process.stdin.isTTY && process.stdout.isTTY);
}

/** Ctrl-C ends the process: nothing has been written yet. */
async function ask(
  { message, many, check, choices }: Question,
  root: string,
  answers: Answers,
): Promise<string | readonly string[]> {
  // Only here: every kata command would wait for it.
  const { cancel, isCancel, multiselect, select, text } = await import("@clack/prompts");
  const options = [...((await choices?.(root, answers)) ?? [])];
  const answer = await (options.length === 0
    ? text({ message, validate: (value) => complaint(check, value ?? "") })
    : many
      ? multiselect({ message, options })
      : select({ message, options }));
  if (!isCancel(answer)) return answer;
  cancel("Nothing was written.");
  process.exit(130);
}

/** The first line says what is wrong; the others tell flags. */
function complaint(check: Question["check"], value: string): string | undefined {
  if (value === "") return "This can't be left away.";
  try {
    check?.(value);
    return undefined;
  } catch (error) {
    return (error as Error).message.split("\n")[0];
  }
}
