import { join } from "node:path";
import { createExercise, createLinkedWorkspace } from "@db-katas/generators";
import { loadKata, loadRubric, terminalPaint, verify } from "@db-katas/grading";
import type { Progress } from "./output.ts";
import type { Session } from "./session.ts";
import type { Workspace } from "./workspace.ts";

const EXERCISE = { name: "my-exercise", title: "My exercise", engines: ["postgres", "redis"] };

/**
 * Makes a new exercise in a temporary workspace and grades its grader.
 * @returns what should not have happened
 */
export async function scaffoldAndVerify(
  workspace: Workspace,
  session: Session,
  progress: Progress,
  seed: number,
): Promise<string[]> {
  progress.line("");
  progress.line(
    terminalPaint("bold", "3. A new exercise, made in a temporary workspace, its grader graded"),
  );
  await using temporary = await createLinkedWorkspace(workspace.root, {
    parent: session.engines.folder,
  });
  const files = await createExercise({ ...EXERCISE, into: temporary.root });
  progress.line(
    `   ${files.length} files: contract, starter, reference, a check per engine, a mutant, a variant`,
  );
  progress.update("installing its packages");
  await temporary.install(session.signal);
  const kata = await loadKata(join(temporary.root, "projects", EXERCISE.name));
  const { results } = await verify({
    kata,
    rubric: await loadRubric(kata),
    engines: session.engines,
    seed,
    compileCache: session.compileCache,
    signal: session.signal,
    onProgress: (_done, _total, text) => progress.update(`verifying ${text}`),
    onResult: ({ holds, subject, expectation }) =>
      progress.line(
        `   ${holds ? terminalPaint("green", "✓") : terminalPaint("red", "✗")} ${subject}: ${expectation}`,
      ),
  });
  return results.flatMap(({ subject, problems }) =>
    problems.map((problem) => `The new exercise's ${subject}: ${problem}. Please report this.`),
  );
}
