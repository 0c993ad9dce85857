import { terminalPaint } from "@db-katas/grading";
import { writeWhole } from "../results.ts";
import { findKata, type Workspace } from "../workspace.ts";
import { listAttempts, standingsIn } from "./attempts.ts";
import type { PredictOptions } from "./predict.ts";
import { resolvedOf, scoreOf } from "./score.ts";
import { formatScore } from "./text.ts";

const DEFAULT_PAGE = ".kata/predictions.html";

/** `kata predict --score`: over all attempts of the workspace, or over those at one exercise. */
export async function scoreCommand(
  workspace: Workspace,
  named: string | undefined,
  options: Pick<PredictOptions, "html" | "json">,
): Promise<void> {
  if (named !== undefined) await findKata(workspace, named);
  const attempts = (await listAttempts(workspace)).filter(
    ({ name }) => named === undefined || name === named,
  );
  const resolved = await Promise.all(
    attempts.map(async ({ folder, name, kata }) =>
      resolvedOf(name, await standingsIn(folder, kata)),
    ),
  );
  const forecasts = resolved.flatMap((each) => each.forecasts);
  const ranges = resolved.flatMap((each) => each.ranges);
  const score = scoreOf(forecasts, ranges);
  if (options.html !== undefined) {
    const file = options.html === true ? DEFAULT_PAGE : options.html;
    // The plotting library is the slowest of all to load.
    const { pageOf } = await import("./page.ts");
    await writeWhole(file, await pageOf(score, forecasts, ranges));
    if (!options.json) process.stdout.write(`Drawn: ${file}\n\n`);
  }
  if (options.json) {
    process.stdout.write(
      `${JSON.stringify({ ...score, forecasts, measuredRanges: ranges }, null, 2)}\n`,
    );
  } else process.stdout.write(`${formatScore(score, terminalPaint)}\n`);
}
