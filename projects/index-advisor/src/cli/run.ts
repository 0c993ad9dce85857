/** From options to advice, and to what is made of it. */
import { access, constants, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Workload } from "../../contract.ts";
import { type AdviceInDetail, advise } from "../advise.ts";
import { apply, longestOf } from "../apply.ts";
import { collect } from "../collect.ts";
import { AdvisorError, messageOf } from "../errors.ts";
import type { Environment } from "../report/report.ts";
import { assertAskable, confirmed } from "./ask.ts";
import { assertCopy, copyOf } from "./copy.ts";
import { environmentOf } from "./environment.ts";
import { nothingToRead, ToolError } from "./errors.ts";
import { jsonOf } from "./json.ts";
import type { Settings } from "./program.ts";
import { statementsIn } from "./sql-file.ts";
import { shown, shownInJson } from "./terminal.ts";
import { textOf, textOfApplied } from "./text.ts";

/** What removing indexes from a copy may take after Ctrl-C or the time limit, in milliseconds. */
const CLEAN_UP_MS = 10_000;

/** Ends the call. */
export interface Interrupts {
  readonly signal: AbortSignal;
  /** Told what may be left if it is ended at once, for people. */
  onDanger(left: string): void;
}

/** Results go to stdout, all else to stderr, so that `--json` can be piped. @throws ToolError, AdvisorError */
export async function run(settings: Settings, interrupts: Interrupts): Promise<void> {
  const { signal } = interrupts;
  const onProgress = (text: string) => void process.stderr.write(`${shown(text)}\n`);
  // Not after minutes of measuring.
  if (settings.apply && !settings.yes) assertAskable();
  assertCopy(settings.target, settings);
  if (settings.htmlFile !== undefined) await assertWritable(settings.htmlFile);
  const workload = await workloadOf(settings, signal);
  const count = workload.statements.length;
  onProgress(`${count} ${count === 1 ? "statement" : "statements"} from ${sourceOf(settings)}`);
  interrupts.onDanger("what it made on the copy may be left there");
  const { advice, environment } = await adviceFor(settings, workload, signal, onProgress);
  const reported = { advice, workload, environment };
  process.stdout.write(
    settings.json ? `${shownInJson(jsonOf(reported))}\n` : shown(textOf(reported)),
  );
  if (settings.htmlFile !== undefined) {
    // Plots are large: only those who want the page wait for them.
    const { pageOf } = await import("../report/html.ts");
    await writeFile(settings.htmlFile, await pageOf(reported));
    onProgress(`${settings.htmlFile} is written`);
  }
  if (settings.apply) await applied(settings, advice, interrupts, onProgress);
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
  const { target, budgetBytes, repetitions, timeoutMs } = settings;
  await using copy = await copyOf(target, { ...settings, signal, onProgress });
  const environment = await environmentOf(copy.url, settings, sourceOf(settings));
  for (const risk of environment.risks) onProgress(`WARNING  ${risk}`);
  const advice = await advise(
    { statements, ...(budgetBytes !== undefined && { budgetBytes }) },
    {
      target,
      scratch: copy.url,
      signal,
      onProgress,
      repetitions,
      budgetMs: timeoutMs,
      // What was made here is dropped whole.
      cleanUpMs: copy.name === undefined ? CLEAN_UP_MS : 0,
    },
  );
  signal.throwIfAborted();
  return { advice, environment };
}

async function applied(
  settings: Settings,
  advice: AdviceInDetail,
  { signal, onDanger }: Interrupts,
  onProgress: (text: string) => void,
): Promise<void> {
  const { target, lockTimeoutMs, statementTimeoutMs, yes } = settings;
  const { create } = advice;
  const drop = settings.drop ? advice.drop : [];
  if (drop.length < advice.drop.length) {
    onProgress("What is superfluous stays: it is dropped only with --drop.");
  }
  if (create.length + drop.length === 0) return;
  if (!yes) {
    onProgress([...create, ...drop].map(({ sql }) => `${sql};`).join("\n"));
    if (!(await confirmed(`Run this in ${shown(placeOf(target))}?`))) return;
  }
  onDanger(
    `what was being built or dropped in ${placeOf(target)} may go on there, or be left as an invalid index, which the next advice names`,
  );
  const request = { create, drop, lockTimeoutMs, statementTimeoutMs };
  const budgetMs = longestOf(request);
  const result = await apply(target, request, { signal, budgetMs, onProgress });
  // Behind JSON a second text would spoil it.
  const stream = settings.json ? process.stderr : process.stdout;
  stream.write(shown(textOfApplied(result)));
}

/** `127.0.0.1:5432/shop` */
export function placeOf(target: string): string {
  const { hostname, port, pathname, searchParams } = new URL(target);
  const host = searchParams.get("host") ?? (hostname === "" ? "localhost" : hostname);
  return `${host}:${port === "" ? "5432" : port}/${decodeURIComponent(pathname.slice(1))}`;
}

/** Without making it: nothing is left where the advice fails. */
async function assertWritable(file: string): Promise<void> {
  try {
    const there = await stat(file).catch(() => undefined);
    if (there?.isDirectory()) throw new Error("it is a folder");
    await access(there ? file : dirname(file), constants.W_OK);
  } catch (error) {
    throw new ToolError("BAD_OPTION", `--html ${file} can't be written (${messageOf(error)}).`, {
      cause: error,
    });
  }
}
