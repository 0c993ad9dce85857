import { html, htmlPage, Markup } from "@db-katas/grading";
import { toSvg } from "@db-katas/measure/plots";
import { penaltyOf, type Resolved } from "./brier.ts";
import { percent } from "./percent.ts";
import { isInside, type ResolvedRange, type Score } from "./score.ts";
import { many, verdictOf } from "./text.ts";

/** One file that needs nothing else: no script, nothing from the network, plots as SVG. */
export async function pageOf(
  score: Score,
  forecasts: readonly Resolved[],
  ranges: readonly ResolvedRange[],
): Promise<string> {
  const body = html`<main>
<h1>${many(score.count, "prediction")}, ${score.came} came true</h1>
${score.count > 0 ? await picturesOf(score, forecasts) : html`<p>No prediction with a probability has been decided yet.</p>`}
${forecasts.length > 0 ? tableOf(forecasts) : undefined}
${ranges.length > 0 ? rangesOf(ranges) : undefined}
</main>`;
  return htmlPage({ title: "Predictions", style: STYLE, body });
}

async function picturesOf(score: Score, forecasts: readonly Resolved[]): Promise<Markup> {
  const { brier, brierOfBaseRate } = score;
  return html`<p>Brier score ${brier.toFixed(3)}; of the base rate ${brierOfBaseRate.toFixed(3)}. ${verdictOf(score)}.</p>
<div class="plots">
<figure><figcaption>What was said, and how often it came true (95 %)</figcaption>${new Markup(await plotOfCalibration(score))}</figure>
<figure><figcaption>Brier score so far, prediction by prediction; 0.25 is 50 % each time</figcaption>${new Markup(await plotOverTime(forecasts))}</figure>
</div>`;
}

/** Who is calibrated is on the diagonal, as far as the intervals tell. */
function plotOfCalibration({ bins }: Score): Promise<string> {
  const axis = {
    type: "quantitative" as const,
    scale: { domain: [0, 1] },
    axis: { format: "%" },
  };
  const values = bins.map((bin) => ({ ...bin, share: bin.came / bin.count }));
  return toSvg({
    width: 260,
    height: 260,
    layer: [
      {
        data: { values: [{ at: 0 }, { at: 1 }] },
        mark: { type: "line", color: "#8a8a8a", strokeDash: [4, 3] },
        encoding: { x: { field: "at", ...axis, title: "said" }, y: { field: "at", ...axis } },
      },
      {
        data: { values },
        mark: { type: "rule", strokeWidth: 2, color: "#1b7f8c" },
        encoding: {
          x: { field: "said", ...axis },
          y: { field: "low", ...axis, title: "came true" },
          y2: { field: "high" },
        },
      },
      {
        data: { values },
        mark: { type: "point", filled: true, opacity: 1, color: "#1b7f8c" },
        encoding: {
          x: { field: "said", ...axis },
          y: { field: "share", ...axis },
          size: { field: "count", type: "quantitative", title: "times", legend: { orient: "top" } },
        },
      },
    ],
  });
}

function plotOverTime(forecasts: readonly Resolved[]): Promise<string> {
  let sum = 0;
  const values = inOrder(forecasts).map((each, index) => {
    sum += penaltyOf(each);
    return { number: index + 1, brier: sum / (index + 1) };
  });
  return toSvg({
    width: 420,
    height: 260,
    layer: [
      {
        data: { values },
        mark: { type: "line", point: true, color: "#1b7f8c" },
        encoding: {
          x: {
            field: "number",
            type: "quantitative",
            title: "predictions",
            axis: { tickMinStep: 1, format: "d" },
          },
          y: {
            field: "brier",
            type: "quantitative",
            title: "Brier score",
            scale: { domain: [0, 1] },
          },
        },
      },
      {
        data: { values: [{ brier: 0.25 }] },
        mark: { type: "rule", color: "#8a8a8a", strokeDash: [4, 3] },
        encoding: { y: { field: "brier", type: "quantitative" } },
      },
    ],
  });
}

function inOrder(forecasts: readonly Resolved[]): Resolved[] {
  return forecasts.toSorted((one, other) => (one.at < other.at ? -1 : 1));
}

function tableOf(forecasts: readonly Resolved[]): Markup {
  return html`<table><thead><tr><th>measured on</th><th>exercise</th><th>what</th><th>said</th><th>came</th></tr></thead>
<tbody>${inOrder(forecasts).map(
    ({ at, kata, id, probability, said }) =>
      html`<tr><td>${at.slice(0, 10)}</td><td>${kata}</td><td>${id}</td><td>${percent(probability)}</td><td>${said}</td></tr>`,
  )}</tbody></table>`;
}

function rangesOf(ranges: readonly ResolvedRange[]): Markup {
  const inside = ranges.filter(isInside).length;
  return html`<p>Of ${many(ranges.length, "range")} that should hold the figure with 90 %, ${inside} did.</p>`;
}

/** Light only: the plots have their colours within. */
const STYLE = `
body { margin: 0; background: #fbfaf7; color: #1d2127; font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; }
main { max-width: 56rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.5rem; margin: 0; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem 2rem; }
figure { margin: 1rem 0; max-width: 100%; overflow-x: auto; }
figcaption { font-size: 0.8rem; font-weight: 600; color: #5a616b; }
table { border-collapse: collapse; font-size: 0.87rem; }
th, td { text-align: left; padding: 0.2rem 1.2rem 0.2rem 0; border-bottom: 1px solid #dfdcd4; }
`;
