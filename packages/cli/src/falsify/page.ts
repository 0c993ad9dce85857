import { html, htmlPage, Markup } from "@db-katas/grading";
import { formatFinding, type HistoryEntry, outcomeOf } from "@db-katas/measure";
import { plotOfDrift, plotOfIntervals, plotOfResults } from "@db-katas/measure/plots";
import { wordsOf } from "./logs.ts";
import type { Outcome } from "./run.ts";
import { formatTotals } from "./text.ts";

export interface PageOptions {
  /** What became of the same claims before, and now, at the same size. */
  readonly history: readonly HistoryEntry[];
  /** What the figures hold for, a line each. */
  readonly about: string;
  /** What was said of a claim before it was first measured, if anything. */
  readonly predicted: (outcome: Outcome) => string | undefined;
  readonly at: Date;
}

/** One file that needs nothing else: no script, nothing from the network, plots as SVG. */
export async function pageOf(
  outcomes: readonly Outcome[],
  { history, about, predicted, at }: PageOptions,
): Promise<string> {
  const articles: Markup[] = [];
  for (const outcome of outcomes)
    articles.push(await articleOf(outcome, history, predicted(outcome)));
  const title = `Claims, ${at.toISOString().slice(0, 16).replace("T", " ")} UTC`;
  const body = html`<main>
<h1>${title}</h1>
<p>${formatTotals(outcomes)}</p>
<pre>${about}</pre>
${articles}
</main>`;
  return htmlPage({ title, style: STYLE, body });
}

async function articleOf(
  outcome: Outcome,
  history: readonly HistoryEntry[],
  predicted: string | undefined,
): Promise<Markup> {
  const { kata, claim } = outcome.bound;
  const { id } = claim.fields;
  const source = claim.kind === "measured" ? claim.fields.source : undefined;
  const head = html`<h2>${kata.name} · ${id}</h2>
<p><code>${wordsOf(claim)}</code></p>
${source ? html`<p>Quoted from: ${source}</p>` : undefined}
${predicted ? html`<p>You had said: ${predicted}</p>` : undefined}`;
  if ("error" in outcome) {
    return html`<article class="contrary">${head}<pre>${outcome.error.message}</pre></article>\n`;
  }
  const { finding, results } = outcome;
  const plots: (Markup | undefined)[] = [];
  if (claim.kind === "measured" && finding.verdict !== "not run" && finding.kind === "measured") {
    plots.push(
      figure("What was measured", await plotOfResults(claim, results)),
      figure("What that says", await plotOfIntervals(finding)),
    );
    const runs = history.filter((entry) => entry.id === id);
    if (runs.length > 1) plots.push(figure("From run to run", await plotOfDrift(runs)));
  }
  const is = outcomeOf(claim.fields, finding).replaceAll(" ", "-");
  return html`<article class="${is}">${head}<pre>${formatFinding(finding)}</pre>
<div class="plots">${plots}</div></article>\n`;
}

function figure(caption: string, svg: string): Markup {
  return html`<figure><figcaption>${caption}</figcaption>${new Markup(svg)}</figure>`;
}

/** Light only: the plots have their colours within. */
const STYLE = `
body { margin: 0; background: #fbfaf7; color: #1d2127; font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; }
main { max-width: 64rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1rem; margin: 0; }
p { margin: 0.4rem 0; }
code, pre { font: 0.82rem/1.45 ui-monospace, Menlo, "DejaVu Sans Mono", monospace; }
pre { margin: 0.6rem 0; padding: 0.65rem 0.8rem; background: #f3f1eb; border-radius: 6px; white-space: pre-wrap; }
article { background: #fff; border: 1px solid #dfdcd4; border-left: 6px solid #8a8a8a; border-radius: 8px;
  margin: 1rem 0; padding: 0.9rem 1.1rem; }
article.as-expected { border-left-color: #1b7f8c; }
article.contrary { border-left-color: #c8501e; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem 2rem; }
figure { margin: 0; max-width: 100%; overflow-x: auto; }
figcaption { font-size: 0.8rem; font-weight: 600; color: #5a616b; }
`;
