import { formatEvent } from "../../trace.ts";
import { type CheckResult, countOf, type Scorecard } from "../scorecard.ts";
import { MARKS } from "../text.ts";
import { htmlPage } from "./frame.ts";
import { type Content, Markup, html as markup } from "./markup.ts";
import { style } from "./style.ts";
import { timeline } from "./timeline.ts";

/** One file for people. */
export function html(scorecard: Scorecard): string {
  const { kata, submission, points, checks, engines, seed, startedAt, durationMs } = scorecard;
  const { passed, failed, skipped } = countOf(scorecard);
  const notGraded = points.total - points.possible;
  return htmlPage({
    title: `${kata} · ${submission} · ${points.earned} of ${points.possible}`,
    style,
    body: markup`<main>
<header>
<div><h1>${kata}</h1><p class="soft">${submission}</p></div>
<p class="points">${points.earned}<small> of ${points.possible} points</small></p>
</header>
<ul class="bar" aria-label="checks">${checks.map(
      (check) =>
        markup`<li class="${classOf(check)}${check.verdict === "passed" ? "" : " hollow"}" style="flex:${check.points}"><a href="#${check.id}" title="${check.title}: ${check.verdict}" aria-label="${check.title}: ${check.verdict}"></a></li>`,
    )}</ul>
<p class="facts"><span>${passed} passed, ${failed} failed, ${skipped} skipped</span>
${notGraded > 0 ? markup`<span>checks worth ${notGraded} points not graded</span>` : undefined}
${engines.map(({ name, version, provider, source }) => markup`<span title="${source}">${name} ${version} (${provider})</span>`)}
<span>seed ${seed}</span><span>${(durationMs / 1_000).toFixed(1)} s</span><time datetime="${startedAt}">${startedAt.replace("T", " ").replace(/\.\d+Z$/, " UTC")}</time></p>
${checks.map(checkOf)}
</main>`,
  });
}

function checkOf(check: CheckResult): Markup {
  const { failure, verdict } = check;
  const head = markup`<span class="mark" aria-hidden="true">${MARKS[verdict].mark}</span>
<h2>${check.title}</h2>
<span class="numbers">${check.earned}/${check.points} points · ${(check.durationMs / 1_000).toFixed(1)} s</span>
<span class="about"><span class="verdict">${verdict}</span> · ${check.concept} · <code>${check.id}</code>${predictionOf(check)}${check.reason ? markup` · ${check.reason}` : undefined}</span>`;
  const figure = timeline(check);
  if (!failure && !figure) {
    return markup`<article id="${check.id}" class="${classOf(check)}"><div class="row">${head}</div></article>\n`;
  }
  return markup`<article id="${check.id}" class="${classOf(check)}"><details${new Markup(failure ? " open" : "")}><summary>${head}</summary>
<div class="body">
${failure ? failureOf(failure) : undefined}
${figure ? markup`<h3>What was done, and when</h3>${figure}` : undefined}
${fold("Every event, as text", check.timeline?.map(formatEvent).join("\n"))}
${failure ? fold("What the submission wrote", failure.stderr) : undefined}
${failure ? fold("What the engines logged meanwhile", failure.engineLog) : undefined}
${check.hints.length > 0 ? markup`<details class="more"><summary>Hints (${check.hints.length}; the first points, the last nearly tells)</summary><ol class="hints">${check.hints.map((hint) => markup`<li>${hint}</li>`)}</ol></details>` : undefined}
<h3>Run just this again</h3><pre class="replay">${check.replay}</pre>
</div></details></article>\n`;
}

function predictionOf({ prediction }: CheckResult): Content {
  if (!prediction) return undefined;
  const came = prediction.first && (prediction.first.passed ? "did" : "did not");
  return ` · predicted to pass at first: ${Math.round(prediction.probability * 100)} %${came ? `; it ${came}` : ""}`;
}

function failureOf(failure: NonNullable<CheckResult["failure"]>): Content {
  const { message, location, expected, received, detail } = failure;
  const side = (name: string, tone: string, text: string | undefined) =>
    text === undefined
      ? undefined
      : markup`<div class="${tone}"><dt>${name}</dt><dd><pre>${text}</pre></dd></div>`;
  return [
    markup`<p class="message">${message}</p>`,
    location
      ? markup`<p class="soft">at <code>${location.file}:${location.line}:${location.column}</code></p>`
      : undefined,
    expected === undefined && received === undefined
      ? undefined
      : markup`<dl class="pair">${side("Expected", "passed", expected)}${side("Received", "failed", received)}</dl>`,
    detail.length > 0 ? markup`<h3>In detail</h3><pre>${detail.join("\n")}</pre>` : undefined,
  ];
}

function fold(title: string, text: string | undefined): Content {
  return text
    ? markup`<details class="more"><summary>${title}</summary><pre>${text}</pre></details>`
    : undefined;
}

function classOf({ verdict }: CheckResult): string {
  return verdict.replaceAll(" ", "-");
}
