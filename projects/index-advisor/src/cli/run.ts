/** From options to advice, and to what is made of it. */
import { writeFile } from "node:fs/promises";
import type { Workload } from "../../contract.ts";
import { type AdviceInDetail, advise } from "../advise.ts";
import { apply } from "../apply.ts";
import { collect } from "../collect.ts";
import { AdvisorError } from "../errors.ts";
import type { Environment } from "../report/report.ts";
import { assertAskable, confirmed } from "./ask.ts";
import { copyOf } from "./copy.ts";
import { environmentOf } from "./environment.ts";
import { nothingToRead } from "./errors.ts";
import { jsonOf } from "./json.ts";
import { type Settings, selectNamed } from "./program.ts";
import { statementsIn } from "./sql-file.ts";
import { textOf, textOfApplied } from "./text.ts";

/** Results go to stdout, all else to stderr, so that `--json` can be piped. @throws ToolError, AdvisorError */
export async function run(settings: Settings, signal: AbortSignal): Promise<void> {
  const onProgress = (text: string) => void process.stderr.write(`${text}\n`);
  // Not after minutes of measuring.
  if (settings.apply && !settings.yes) assertAskable();
  const workload = await workloadOf(settings, signal);
  const count = workload.statements.length;
  onProgress(`${count} ${count === 1 ? "statement" : "statements"} from ${sourceOf(settings)}`);
  const { advice, environment } = await adviceFor(settings, workload, signal, onProgress);
  const reported = { advice, workload, environment };
  if (settings.htmlFile !== undefined) {
    // Plots are large: only those who want the page wait for them.
    const { pageOf } = await import("../report/html.ts");
    await writeFile(settings.htmlFile, await pageOf(reported));
    onProgress(`${settings.htmlFile} is written`);
  }
  process.stdout.write(settings.json ? `${jsonOf(reported)}\n` : textOf(reported));
  if (settings.apply) await applied(settings, advice, signal);
}

async function workloadOf(settings: Settings, signal: AbortSignal): Promise<Workload> {
  if (settings.sqlFile !== undefined) {
    return { statements: await statementsIn(settings.sqlFile), forgotten: 0 };
  }
  const workload = await collect(settings.target, settings.collect, { signal }).catch((error) => {
    if (!(error instanceof AdvisorError && error.code === "EXTENSION_MISSING")) throw error;
    throw new AdvisorError(error.code, `${error.message} Or give statements with --sql.`, {
      cause: error,
    });
  });
  if (workload.statements.length === 0) throw nothingToRead("pg_stat_statements");
  return workload;
}

function sourceOf({ sqlFile, collect: { by } }: Settings): string {
  return sqlFile ?? `pg_stat_statements, the first by ${by}`;
}

async function adviceFor(
  settings: Settings,
  { statements }: Workload,
  signal: AbortSignal,
  onProgress: (text: string) => void,
): Promise<{ advice: AdviceInDetail; environment: Environment }> {
  const { target, scratch, budgetBytes, repetitions, timeoutMs, algorithm } = settings;
  await using copy = await copyOf(target, scratch, { signal, onProgress, timeoutMs });
  const environment = await environmentOf(copy.url, settings, sourceOf(settings));
  const select = await selectNamed(algorithm);
  const advice = await advise(
    { statements, ...(budgetBytes !== undefined && { budgetBytes }) },
    {
      target,
      scratch: copy.url,
      signal,
      onProgress,
      repetitions,
      budgetMs: timeoutMs,
      ...(select && { select }),
    },
  );
  signal.throwIfAborted();
  return { advice, environment };
}

async function applied(
  settings: Settings,
  { create, drop }: AdviceInDetail,
  signal: AbortSignal,
): Promise<void> {
  if (create.length + drop.length === 0) return;
  const { target, lockTimeoutMs, statementTimeoutMs, yes } = settings;
  const what = `Build ${create.length} and drop ${drop.length} indexes in ${new URL(target).pathname.slice(1)}?`;
  if (!yes && !(await confirmed(what))) return;
  const budgetMs = (create.length + drop.length) * (statementTimeoutMs + lockTimeoutMs);
  const result = await apply(
    target,
    { create, drop, lockTimeoutMs, statementTimeoutMs },
    { signal, budgetMs },
  );
  // Behind JSON a second text would spoil it.
  const stream = settings.json ? process.stderr : process.stdout;
  stream.write(textOfApplied(result));
}
