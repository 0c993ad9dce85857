export const style = `
:root { color-scheme: light dark;
  --paper: #fbfbf9; --ink: #22252b; --soft: #6b7078; --line: #dddfdb; --card: #ffffff;
  --read: #3b78c2; --change: #c9731a; --end: #7a52b8; --bad: #d3263a; --good: #1d7f4c;
  --band: #d3263a1c; --edge: #d3263a80; --redis: #c9731a; --postgres: #3b78c2; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #16181c; --ink: #e6e7e4; --soft: #9a9fa8; --line: #33373e; --card: #1e2126;
  --read: #6fa8ec; --change: #f0a04b; --end: #b493ee; --bad: #ff6577; --good: #5cc98d;
  --band: #ff65772b; --edge: #ff657799; --redis: #f0a04b; --postgres: #6fa8ec; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 26px; margin: 0; } h1 span { color: var(--soft); font-weight: 400; }
h2 { font-size: 17px; margin: 30px 0 8px; }
.verdict { margin: 4px 0 18px; font-weight: 600; } .good { color: var(--good); } .bad { color: var(--bad); }
.tiles { display: flex; flex-wrap: wrap; gap: 10px; margin-bottom: 18px; }
.tiles div { flex: 1 1 120px; padding: 10px 14px; background: var(--card); border: 1px solid var(--line);
  border-radius: 8px; color: var(--soft); font-size: 13px; line-height: 1.35; }
.tiles b { display: block; color: var(--ink); font-size: 20px; font-variant-numeric: tabular-nums; }
figure { margin: 0; padding: 14px 8px 8px; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
figcaption { padding: 6px 10px 2px; color: var(--soft); font-size: 13px; }
svg { display: block; width: 100%; height: auto; font: 12px system-ui, sans-serif; }
text { fill: var(--soft); } .name { fill: var(--ink); font-weight: 600; font-size: 14px; }
.grid { stroke: var(--line); } .budget { stroke: var(--bad); stroke-dasharray: 5 4; }
.band { fill: var(--band); } .edge { stroke: var(--edge); } .fault { fill: var(--bad); font-weight: 600; }
.back { stroke: var(--good); stroke-width: 1.5; stroke-dasharray: 2 3; } .backname { fill: var(--good); }
.read { fill: var(--read); } .change { fill: var(--change); } .end { fill: var(--end); }
.dot { fill-opacity: .62; } .unknown { fill: none; stroke: var(--bad); stroke-width: 1.6; }
.anomaly { fill: none; stroke: var(--bad); stroke-width: 2; }
.redis { fill: var(--redis); fill-opacity: .75; } .postgres { fill: var(--postgres); fill-opacity: .75; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 6px 10px 6px 0; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 500; font-size: 13px; }
pre { margin: 6px 0; padding: 8px 12px; overflow-x: auto; background: var(--card); border: 1px solid var(--line);
  border-radius: 6px; font: 12.5px/1.5 ui-monospace, monospace; }
li { margin-bottom: 10px; } summary { cursor: pointer; }
@media print { main { max-width: none; } }
`;
