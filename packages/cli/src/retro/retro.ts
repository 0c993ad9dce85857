import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { loadRubric } from "@db-katas/grading";
import { CliError } from "../errors.ts";
import { readClaims } from "../falsify/logs.ts";
import { attemptOf, standingsIn } from "../predict/attempts.ts";
import { readGrades } from "../predict/grades.ts";
import { questionsOf } from "../predict/questions.ts";
import { many } from "../predict/text.ts";
import { writeWhole } from "../results.ts";
import { findWorkspace, resolveTarget } from "../workspace.ts";
import { merged } from "./document.ts";
import { itemsOf, summaryOf } from "./items.ts";

export interface RetroOptions {
  readonly kata?: string;
  readonly json?: boolean;
}

const FILE = "WHAT-I-GOT-WRONG.md";

/** @throws CliError `NOT_AN_ATTEMPT`, `RESULT_MISSING` */
export async function retroCommand(
  named: string | undefined,
  options: RetroOptions,
): Promise<void> {
  const workspace = await findWorkspace(process.cwd());
  const asked = options.kata === undefined ? {} : { kata: options.kata };
  const target = await resolveTarget(workspace, named, asked, process.cwd());
  const { kata, submission, typed } = target;
  const attempt = attemptOf(workspace, target);
  const [grades, standings, rubric, bound] = await Promise.all([
    readGrades(attempt),
    standingsIn(attempt, kata),
    loadRubric(kata),
    readClaims(workspace, [kata]),
  ]);
  if (grades.length === 0 && !standings.some(({ measurement }) => measurement)) {
    throw new CliError("RESULT_MISSING", `Nothing of ${submission.label} has been measured yet.`, {
      likelyCause: "a check counts once its task is written and the code loads",
      remedy: `pnpm kata grade ${typed}`,
    });
  }
  const questions = questionsOf(
    rubric,
    bound.map(({ claim }) => claim),
  );
  const items = itemsOf(questions, standings, grades);
  const file = join(attempt, FILE);
  const before = await readFile(file, "utf8").catch(() => undefined);
  const { text, added } = merged(before, kata.name, summaryOf(items, grades), items);
  const isWritten = items.length > 0 || before !== undefined;
  if (isWritten && text !== before) await writeWhole(file, text);
  if (options.json) {
    const shown = { kata: kata.name, file: isWritten ? file : null, added, items };
    process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
    return;
  }
  const shown = relative(process.cwd(), file);
  process.stdout.write(
    isWritten
      ? `${shown}: ${many(items.length, "thing")} to think about, ${added.length} of them new. What you wrote there is as it was.\n`
      : "Nothing was wrong yet: no check has failed, and no prediction.\n",
  );
}
