/** One chaos run as a page of its own: no script, no network, light and dark. */
import { BUDGET_MS } from "../bounds.ts";
import { formatCall, latencyOf } from "../calls.ts";
import type { Anomaly } from "../judge.ts";
import type { ChaosRun } from "../run.ts";
import { describeEvent } from "../schedule.ts";
import { type Spread, spreadOf, summarize, turnsOf } from "../summary.ts";
import { escapeText } from "./markup.ts";
import { style } from "./style.ts";
import { renderTimeline } from "./timeline.ts";

const SHOWN = 25;

export function renderPage(run: ChaosRun): string {
  const { anomalies, schedule, submission } = run;
  const verdict =
    anomalies.length === 0
      ? `<p class="verdict good">Nothing acknowledged was lost, and nothing that had ended came back.</p>`
      : `<p class="verdict bad">${anomalies.length} ${anomalies.length === 1 ? "anomaly" : "anomalies"}: ${escapeText(kinds(anomalies))}.</p>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Chaos run ${schedule.seed}: ${escapeText(submission)}</title>
<style>${style}</style>
</head>
<body>
<main>
<header>
<h1>Chaos run ${schedule.seed} <span>${escapeText(submission)}</span></h1>
${verdict}
</header>
${tiles(run)}
${renderTimeline(run)}
<section><h2>Faults</h2>${faults(run)}</section>
${anomalies.length > 0 ? `<section><h2>Anomalies</h2>${list(run)}</section>` : ""}
<section><h2>Again</h2>
<p>The same faults at the same points of the same load; the interleaving is the machine's.</p>
<details><summary>schedule.json</summary><pre>${escapeText(JSON.stringify(schedule, null, 2))}</pre></details>
<pre>pnpm --filter @db-katas/session-failover chaos --submission ${escapeText(quoted(submission))} --schedule schedule.json</pre>
</section>
</main>
</body>
</html>
`;
}

function tiles(run: ChaosRun): string {
  const { calls, acknowledged, unknown, steadyMs, faultMs, extraMs } = summarize(run);
  const tile = (value: string, name: string) => `<div><b>${value}</b>${name}</div>`;
  return `<section class="tiles">
${tile(String(calls), "calls")}
${tile(String(acknowledged), "acknowledged")}
${tile(String(unknown), "of unknown outcome")}
${tile(p99(spreadOf(steadyMs)), "p99 in steady state")}
${tile(p99(spreadOf(faultMs)), "p99 during faults")}
${tile(p99(spreadOf(extraMs)), "extra of calls that met a fault, p99")}
${tile(`${BUDGET_MS} ms`, "budget of a call")}
</section>`;
}

function p99({ p99: value }: Spread): string {
  return value === undefined ? "–" : `${value.toFixed(0)} ms`;
}

function faults(run: ChaosRun): string {
  const rows = run.happenings.map((happening, index) => {
    const { failOverMs, failBackMs } = turnsOf(run, happening);
    const met = happening.overlapped.map((each) => run.calls[each]?.op ?? "").join(", ");
    const cells = [
      String(index + 1),
      describeEvent(happening.event),
      `${happening.effectiveAt.toFixed(0)} – ${happening.healedAt.toFixed(0)} ms`,
      met,
      failOverMs === undefined ? "never" : `${failOverMs.toFixed(0)} ms`,
      failBackMs === undefined ? "not seen" : `${failBackMs.toFixed(0)} ms`,
    ];
    return `<tr>${cells.map((cell) => `<td>${escapeText(cell)}</td>`).join("")}</tr>`;
  });
  return `<table><thead><tr><th></th><th>fault</th><th>from – to</th><th>writes under way</th>
<th>first success</th><th>Redis answers again</th></tr></thead><tbody>${rows.join("\n")}</tbody></table>`;
}

function list({ anomalies, calls }: ChaosRun): string {
  const items = anomalies.slice(0, SHOWN).map(({ kind, text, calls: proof }) => {
    const lines = proof.slice(-6).flatMap((index) => {
      const call = calls[index];
      return call ? [`${formatCall(call)}  (${latencyOf(call).toFixed(0)} ms)`] : [];
    });
    return `<li><b>${escapeText(kind)}</b> ${escapeText(text)}<pre>${escapeText(lines.join("\n"))}</pre></li>`;
  });
  const more = anomalies.length - items.length;
  return `<ol>${items.join("\n")}</ol>${more > 0 ? `<p>… and ${more} more.</p>` : ""}`;
}

function kinds(anomalies: readonly Anomaly[]): string {
  return [...Map.groupBy(anomalies, ({ kind }) => kind)]
    .map(([kind, all]) => `${all.length} ${kind}`)
    .join(", ");
}

function quoted(text: string): string {
  return text.includes(" ") ? `"${text}"` : text;
}
