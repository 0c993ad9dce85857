/** By day, by night, and on paper. */
export const STYLE = `
:root { color-scheme: light dark; --paper: #fbfaf7; --card: #fff; --ink: #1d2127; --dim: #5f6670; --line: #dfdcd4;
  --soft: #f3f1eb; --good: #1b7f8c; --bad: #b8481a; --mark: #fff3cf; --markline: #c9971c; }
@media screen and (prefers-color-scheme: dark) { :root { --paper: #15171b; --card: #1c1f24; --ink: #e3e5e8; --dim: #9aa1ab;
  --line: #33373f; --soft: #23272d; --good: #5cc0cd; --bad: #f08a5d; --mark: #3a3218; --markline: #d9ac3c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 0.3rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 0.6rem; }
h3 { font-size: 1rem; margin: 0 0 0.4rem; }
p { margin: 0.4rem 0; max-width: 60rem; }
.dim { color: var(--dim); }
.good { color: var(--good); } .bad { color: var(--bad); }
code, pre { font: 0.82rem/1.45 ui-monospace, Menlo, "DejaVu Sans Mono", monospace; }
pre { margin: 0.6rem 0; padding: 0.65rem 0.8rem; background: var(--soft); border-radius: 6px; white-space: pre-wrap;
  overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
th { text-align: left; font-weight: 600; color: var(--dim); font-size: 0.8rem; }
th, td { padding: 0.35rem 0.7rem 0.35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td code { display: block; min-width: 14rem; overflow-wrap: anywhere; }
.over td { border-bottom: 0; padding-bottom: 0; }
.tiles { display: flex; flex-wrap: wrap; gap: 0.8rem; margin: 1.2rem 0; }
.tile { flex: 1 1 9rem; background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 0.7rem 0.9rem; }
.tile b { display: block; font-size: 1.35rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.tile span { color: var(--dim); font-size: 0.82rem; }
.plots { display: flex; flex-wrap: wrap; gap: 1.2rem 2.4rem; }
figure { margin: 0; max-width: 100%; overflow-x: auto; }
figcaption { font-size: 0.85rem; font-weight: 600; color: var(--dim); margin-bottom: 0.3rem; }
article { background: var(--card); border: 1px solid var(--line); border-radius: 8px; margin: 0.9rem 0; padding: 0.9rem 1.1rem; }
summary { cursor: pointer; font-weight: 600; }
details > summary + * { margin-top: 0.5rem; }
.plans { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1rem; }
.plans > div { min-width: 0; }
.plan, .plan ul { list-style: none; margin: 0; padding: 0; }
.plan ul { margin-left: 0.55rem; padding-left: 0.75rem; border-left: 1px solid var(--line); }
.node { padding: 0.22rem 0.4rem; margin: 0.12rem 0; border-radius: 5px; font-size: 0.84rem; }
.node small { display: block; color: var(--dim); font-size: 0.76rem; overflow-wrap: anywhere; }
.changed { background: var(--mark); box-shadow: inset 3px 0 var(--markline); padding-left: 0.6rem; }
@media print { :root { color-scheme: light; --paper: #fff; --soft: #f5f5f5; } html, body { font-size: 11px; }
  main { max-width: none; padding: 0; } article, .tile, figure, tr, .node { break-inside: avoid; }
  h2, h3, summary { break-after: avoid; } article:has(.plans) { break-inside: auto; } .wide, figure { overflow: visible; }
  svg { max-width: 100%; height: auto; } td code { min-width: 0; }
  .changed, .tile, pre { print-color-adjust: exact; } summary { list-style: none; }
  details::details-content { content-visibility: visible; } }
`;
