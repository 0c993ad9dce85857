/** One page that a person could show a colleague. */

import { html, htmlPage, Markup } from "@db-katas/grading";
import type { StatementDetail } from "../advise.ts";
import { reasonOf } from "../cli/text.ts";
import { formatAtLeast, formatChange, formatCount, formatMs, formatSize } from "../cli/units.ts";
import { plansOf } from "./plan-html.ts";
import { plotOfIndexes, plotOfRuns, plotOfWork } from "./plots.ts";
import { RAN_OUT, type Reported } from "./report.ts";
import { STYLE } from "./style.ts";

/** Plans of so many statements, those that changed most; each takes a screen. */
const PLANS = 12;

/** One file that needs nothing else: no script, nothing from the network, plots as SVG. */
export async function pageOf(reported: Reported): Promise<string> {
  const { advice, environment } = reported;
  const title = `Indexes for ${environment.database}`;
  const body = html`<main>
<h1>${title}</h1>
<p class="dim">${environment.at.toISOString().slice(0, 16).replace("T", " ")} UTC · PostgreSQL ${environment.server} · statements from ${environment.source}</p>
${tiles(reported)}
${forgotten(reported)}
${ranOut(reported)}
${await creates(reported)}
${drops(reported)}
${await statementsOf(reported)}
${plans(advice.statements)}
${rejected(reported)}
${skipped(reported)}
${about(reported)}
</main>`;
  return htmlPage({ title, style: STYLE, body });
}

function tiles({ advice, environment }: Reported): Markup {
  const { beforeMs, afterMs, create, drop } = advice;
  const bytes = create.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const tile = (figure: string, words: string) =>
    html`<div class="tile"><b>${figure}</b><span>${words}</span></div>`;
  const budget = environment.budgetBytes;
  return html`<div class="tiles">
${tile(`${formatMs(beforeMs)} → ${formatMs(afterMs)}`, "calls × time of the whole workload, measured on a copy")}
${tile(formatChange(beforeMs, afterMs), "change of it")}
${tile(`${create.length} to build`, `${formatSize(bytes)}${budget === undefined ? "" : ` of ${formatSize(budget)} allowed`}; the database has ${formatSize(environment.databaseBytes)}`)}
${tile(`${drop.length} to drop`, "doubled, overtaken by another one, or broken")}
</div>`;
}

function forgotten({ workload }: Reported): Markup | undefined {
  if (workload.forgotten === 0) return undefined;
  return html`<p class="bad">pg_stat_statements has forgotten ${formatCount(workload.forgotten)} statements since it was reset: what follows is not about all that was asked.</p>`;
}

function ranOut({ advice }: Reported): Markup | undefined {
  if (!advice.ranOut) return undefined;
  return html`<p class="bad">${RAN_OUT}</p>`;
}

async function creates({ advice }: Reported): Promise<Markup> {
  const { create, indexes } = advice;
  if (create.length === 0 && advice.ranOut) return html`<h2>Nothing found to build</h2>`;
  if (create.length === 0) {
    return html`<h2>Nothing to build</h2><p>No index was seen to make this workload as a whole faster. Indexes cost writes and room, so that none is the right answer here.</p>`;
  }
  const rows = create.map(({ name, sizeBytes, evidence }, i) => {
    const detail = indexes[i];
    const serves = evidence.map(({ statement }) => `#${statement + 1}`).join(", ");
    return html`<tr><td><code>${name}</code></td><td class="number">${formatSize(sizeBytes)}</td>
<td class="number dim">${detail ? formatSize(detail.estimatedBytes) : "–"}</td>
<td class="number">${detail ? formatMs(detail.gainMs) : "–"}</td>
<td class="number">${detail ? `${Math.round(100 * detail.confidence)} %` : "–"}</td><td>${serves}</td></tr>\n`;
  });
  return html`<h2>To build</h2>
<div class="wide"><table><tr><th>index</th><th class="number">size</th><th class="number">size as estimated</th><th class="number">workload gains</th><th class="number">confidence</th><th>makes faster</th></tr>
${rows}</table></div>
<p class="dim">“Workload gains” is how much longer all calls take together when this one index is taken away and the others stay. Confidence says how far that is above the noise of the runs.</p>
<pre>${create.map(({ sql }) => `${sql};`).join("\n")}</pre>
<figure><figcaption>What each gains, and takes</figcaption>${new Markup(await plotOfIndexes(advice))}</figure>`;
}

function drops({ advice: { drop } }: Reported): Markup | undefined {
  if (drop.length === 0) return undefined;
  const rows = drop.map(
    (each) => html`<tr><td><code>${each.name}</code></td><td>${reasonOf(each)}</td></tr>\n`,
  );
  return html`<h2>To drop</h2>
<div class="wide"><table><tr><th>index</th><th>because</th></tr>${rows}</table></div>
<p class="dim">That nobody misses them follows from what they are; the workload was not run without them.</p>
<pre>${drop.map(({ sql }) => `${sql};`).join("\n")}</pre>`;
}

async function statementsOf({ advice: { statements } }: Reported): Promise<Markup | undefined> {
  if (statements.length === 0) return undefined;
  const total = statements.reduce((sum, { calls, beforeMs }) => sum + calls * beforeMs, 0);
  const rows = byWork(statements).map(
    (
      each,
    ) => html`<tr class="over"><td>#${each.statement + 1}</td><td class="number">${formatCount(each.calls)}</td>
<td class="number">${Math.round((100 * each.calls * each.beforeMs) / total)} %</td>
<td class="number">${spread(each.beforeMs, each.runsBeforeMs, each.isStoppedBefore)}</td><td class="number">${spread(each.afterMs, each.runsAfterMs, each.isStoppedAfter)}</td>
<td class="number ${tone(each)}">${formatChange(each.beforeMs, each.afterMs)}</td>
<td class="number">${formatCount(each.blocksBefore)} → ${formatCount(each.blocksAfter)}</td>
<td class="number">${each.upkeepMs > 0 ? formatMs(each.upkeepMs) : "–"}</td></tr>
<tr><td></td><td colspan="7"><code>${each.sql}</code></td></tr>\n`,
  );
  return html`<h2>Statements</h2>
<div class="plots">
<figure><figcaption>What all calls of a statement take</figcaption>${new Markup(await plotOfWork(statements))}</figure>
<figure><figcaption>Every run that was measured</figcaption>${new Markup(await plotOfRuns(statements))}</figure>
</div>
<div class="wide"><table><tr><th></th><th class="number">calls</th><th class="number">share</th><th class="number">before</th><th class="number">after</th><th class="number">change</th><th class="number">pages touched</th><th class="number">upkeep</th></tr>
${rows}</table></div>
<p class="dim">Times are per call: the median, and below it the fastest and the slowest run. Upkeep is what the new indexes are reckoned to add to one call that writes; “after” has it in it.</p>`;
}

function plans(statements: readonly StatementDetail[]): Markup | undefined {
  const gain = ({ calls, beforeMs, afterMs }: StatementDetail) =>
    Math.abs(calls * (beforeMs - afterMs));
  const shown = statements
    .filter((each) => each.runsBeforeMs !== each.runsAfterMs)
    .sort((a, b) => gain(b) - gain(a))
    .slice(0, PLANS);
  if (shown.length === 0) return undefined;
  const articles = shown.map(
    (
      each,
      i,
    ) => html`<article><details${new Markup(i < 3 ? " open" : "")}><summary>#${each.statement + 1}: ${formatAtLeast(each.beforeMs, each.isStoppedBefore)} → ${formatAtLeast(each.afterMs, each.isStoppedAfter)} per call <span class="dim">(cost ${formatCount(each.costBefore)} → ${formatCount(each.costAfter)})</span></summary>
<pre>${each.sql}</pre>${plansOf(each)}</details></article>\n`,
  );
  return html`<h2>Plans that changed</h2><p class="dim">What is only in one of the two is marked.</p>${articles}`;
}

function rejected({ advice }: Reported): Markup | undefined {
  if (advice.rejected.length === 0) return undefined;
  const rows = advice.rejected.map(
    ({ sql, why }) => html`<tr><td><code>${sql}</code></td><td>${why}</td></tr>\n`,
  );
  return html`<h2>Considered and left alone</h2>
<details><summary>${advice.rejected.length} indexes</summary><div class="wide"><table><tr><th>index</th><th>because</th></tr>${rows}</table></div></details>`;
}

function skipped({ advice, workload }: Reported): Markup | undefined {
  if (advice.skipped.length === 0) return undefined;
  const rows = advice.skipped.map(
    ({ statement, why }) =>
      html`<tr><td>#${statement + 1}</td><td><code>${workload.statements[statement]?.sql ?? ""}</code></td><td>${why}</td></tr>\n`,
  );
  return html`<h2>Skipped</h2>
<div class="wide"><table><tr><th></th><th>statement</th><th>because</th></tr>${rows}</table></div>`;
}

function about({ advice, environment }: Reported): Markup {
  const settings = Object.entries(environment.settings).map(
    ([name, value]) => `${name} = ${value}`,
  );
  return html`<h2>What this holds for</h2>
<p>${advice.statements.length === 0 ? "No statement was run" : `Each statement was run ${runsOf(advice.statements)} with each set of indexes that changes its plan, warm`}, on a copy of the database with the same rows and the same kind of server; writes were rolled back. ${formatCount(advice.candidates.length)} indexes were considered, with ${formatCount(advice.whatIf.calls)} questions to the planner (${advice.whatIf.kind}), in ${formatMs(advice.tookMs)}. A cold cache, other sizes, or other settings than these give other times:</p>
<pre>${settings.join("\n")}</pre>
${environment.risks.map((risk) => html`<p class="bad">${risk}</p>\n`)}`;
}

/** Fewer where they take long, more where a run is nothing: `1 to 15 times`. */
function runsOf(statements: readonly StatementDetail[]): string {
  const counts = statements.flatMap(({ runsBeforeMs, runsAfterMs }) => [
    runsBeforeMs.length,
    runsAfterMs.length,
  ]);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  if (least < most) return `${least} to ${most} times`;
  return most === 1 ? "once" : `${most} times`;
}

function byWork(statements: readonly StatementDetail[]): readonly StatementDetail[] {
  return [...statements].sort((a, b) => b.calls * b.beforeMs - a.calls * a.beforeMs);
}

function spread(median: number, runs: readonly number[], isStopped: boolean): Markup {
  const told = formatAtLeast(median, isStopped);
  if (runs.length < 2 || isStopped) return html`${told}`;
  return html`${told}<br><small class="dim">${formatMs(Math.min(...runs))} … ${formatMs(Math.max(...runs))}</small>`;
}

/** Half a tenth either way is noise. */
function tone({ beforeMs, afterMs }: StatementDetail): string {
  if (afterMs < beforeMs * 0.95) return "good";
  return afterMs > beforeMs * 1.05 ? "bad" : "dim";
}
