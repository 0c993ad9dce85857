/** The page's one style sheet: both colour schemes, paper too, and nothing from the network. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#fbfaf7, #16181c);
  --card: light-dark(#ffffff, #1e2126);
  --ink: light-dark(#1d2127, #e6e4df);
  --soft: light-dark(#5a616b, #a3a8b0);
  --line: light-dark(#dfdcd4, #363a42);
  --code: light-dark(#f3f1eb, #15171a);
  --good: light-dark(#18794e, #5cc796);
  --bad: light-dark(#b42318, #ff8f80);
  --warn: light-dark(#8a5a00, #e5b454);
  --ours: light-dark(#7a3aa8, #cf9ff0);
  --call: light-dark(#3a6ea5, #7fb2e5);
  --fault: light-dark(#c2410c, #fb923c);
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 var(--sans); }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 1rem; line-height: 1.35; margin: 0; }
h3 { font-size: 0.8rem; margin: 1.1rem 0 0.35rem; color: var(--soft); font-weight: 600; }
p { margin: 0.4rem 0; }
code, pre { font-family: var(--mono); font-size: 0.82rem; }
pre { margin: 0; padding: 0.65rem 0.8rem; background: var(--code); border-radius: 6px;
  white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.45; }
.soft { color: var(--soft); }
header { display: grid; grid-template-columns: 1fr auto; gap: 0.5rem 2rem; align-items: end; }
header .points { font-size: 2rem; font-weight: 650; line-height: 1; text-align: right;
  font-variant-numeric: tabular-nums; }
header .points small { font-size: 1rem; font-weight: 400; color: var(--soft); }
.bar { display: flex; gap: 2px; height: 10px; margin: 1.1rem 0 0.6rem; padding: 0; list-style: none; }
.bar a { display: block; height: 100%; background: var(--tone); border-radius: 2px; }
.bar li.hollow a { background: none; box-shadow: inset 0 0 0 1.5px var(--tone); }
.facts { display: flex; flex-wrap: wrap; gap: 0.15rem 1.4rem; color: var(--soft); margin: 0 0 1.6rem; font-size: 0.87rem; }
.passed { --tone: var(--good); }
.failed, .crashed, .timed-out { --tone: var(--bad); }
.not-graded { --tone: var(--warn); }
.skipped { --tone: var(--soft); }
.error { --tone: var(--ours); }
article { background: var(--card); border: 1px solid var(--line); border-radius: 8px; margin: 0.6rem 0; }
article > details > summary, article > .row { display: grid; gap: 0.1rem 0.75rem; align-items: baseline;
  grid-template-columns: 1.2rem 1fr auto; padding: 0.65rem 0.9rem; }
summary { cursor: pointer; }
article > details > summary { list-style: none; }
article > details > summary::-webkit-details-marker { display: none; }
article > details[open] > summary { border-bottom: 1px solid var(--line); }
:is(summary, a):focus-visible { outline: 2px solid var(--call); outline-offset: 2px; border-radius: 6px; }
.mark { color: var(--tone); font-weight: 700; text-align: center; }
.verdict { color: var(--tone); font-weight: 600; }
.numbers { font-variant-numeric: tabular-nums; color: var(--soft); font-size: 0.87rem; white-space: nowrap; }
article summary .numbers::after { content: "\\25b8"; display: inline-block; margin-left: 0.6rem; }
article details[open] > summary .numbers::after { transform: rotate(90deg); }
article > .row .numbers { padding-right: 1.15rem; }
.about { grid-column: 2 / -1; font-size: 0.84rem; color: var(--soft); }
.body { padding: 0.4rem 0.9rem 0.9rem; }
.message { font-weight: 600; margin: 0.6rem 0; overflow-wrap: anywhere; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: 0.6rem; margin: 0; }
.pair dt { font-size: 0.8rem; font-weight: 600; margin-bottom: 0.25rem; }
.pair dd { margin: 0; }
.pair pre { border-left: 3px solid var(--tone); border-radius: 0 6px 6px 0; }
.replay { user-select: all; }
.more { margin-top: 0.6rem; }
.more > summary { color: var(--soft); font-size: 0.87rem; font-weight: 600; }
.more > :not(summary) { margin-top: 0.4rem; }
ol.hints { margin-bottom: 0; }
figure { margin: 0.3rem 0 0; }
figcaption { font-size: 0.84rem; color: var(--soft); }
ol.steps { columns: 2 20rem; column-gap: 2rem; list-style: none; padding: 0; margin: 0.4rem 0 0; }
ol.steps li { break-inside: avoid; padding-left: 1.7rem; position: relative; }
ol.steps b { position: absolute; left: 0; color: var(--ink); min-width: 1.2rem; text-align: center; font-variant-numeric: tabular-nums; }
ol.steps .at { white-space: nowrap; margin-left: 0.3rem; font-variant-numeric: tabular-nums; opacity: 0.8; }
.scroll { overflow-x: auto; }
svg { display: block; width: 100%; min-width: 40rem; height: auto; font: 11px var(--sans); }
svg .lane { stroke: var(--line); }
svg .name { fill: var(--ink); font-weight: 600; }
svg .tick { fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .grid { stroke: var(--line); stroke-dasharray: 2 3; }
svg .call { fill: var(--call); }
svg .threw { fill: var(--bad); }
svg .open { fill: none; stroke: var(--call); stroke-dasharray: 3 2; }
svg .band { fill: var(--fault); opacity: 0.13; }
svg .edge { stroke: var(--fault); stroke-opacity: 0.55; }
svg .fault { fill: var(--fault); }
svg .label { fill: var(--ink); }
svg .step-line { stroke: var(--soft); stroke-opacity: 0.6; }
svg .step-dot { fill: var(--card); stroke: var(--soft); }
svg .step-number { fill: var(--ink); text-anchor: middle; font-size: 10px; font-weight: 600; }
.key { display: inline-block; width: 0.9rem; height: 0.6rem; border-radius: 2px; margin: 0 0.25rem 0 0.9rem; }
.key:first-child { margin-left: 0; }
.key.call { background: var(--call); }
.key.threw { background: var(--bad); }
.key.open { border: 1.5px dashed var(--call); }
.key.fault { background: color-mix(in srgb, var(--fault) 30%, transparent); border-top: 3px solid var(--fault); }
@media print {
  :root { color-scheme: light; --paper: #fff; --code: #f6f5f1; }
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  article { break-inside: auto; }
  article summary .numbers::after { content: none; }
  summary, figure, .pair, .message { break-inside: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
  * { print-color-adjust: exact; }
}
`;
