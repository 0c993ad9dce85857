/** The picture: for each node its calls by latency, and what it sent to and got from each store. */
import { type ScaleLinear, type ScaleLogarithmic, scaleLinear, scaleLog } from "d3-scale";
import { area, curveStepBefore } from "d3-shape";
import { BUDGET_MS } from "../bounds.ts";
import { type Call, formatCall, latencyOf } from "../calls.ts";
import type { ChaosRun } from "../run.ts";
import { turnsOf } from "../summary.ts";
import type { TrafficSample } from "../traffic.ts";
import { escapeText } from "./markup.ts";

const WIDTH = 1_140;
const LEFT = 88;
const RIGHT = 16;
const TOP = 44;
const LATENCY = 190;
const TRAFFIC = 76;
const GAP = 14;
const PANEL = LATENCY + TRAFFIC + 2 * GAP + 20;
const AXIS = 34;
const TICKS_MS = [1, 10, 100, 1_000];

type X = ScaleLinear<number, number>;
type Y = ScaleLogarithmic<number, number>;

export function renderTimeline(run: ChaosRun): string {
  const { nodes } = run.schedule;
  const height = TOP + nodes.length * PANEL + AXIS;
  const x = scaleLinear([0, run.durationMs], [LEFT, WIDTH - RIGHT]);
  const slowest = Math.max(1_500, ...run.calls.map(latencyOf).filter(Number.isFinite));
  const panels = nodes.map((node, index) => {
    const top = TOP + index * PANEL;
    const y = scaleLog([1, slowest], [top + LATENCY, top]).clamp(true);
    return [
      bands(run, node, x, top),
      latencyAxis(node, y, top),
      dots(run, node, x, y),
      traffic(run, node, x, top + LATENCY + GAP + 8),
    ].join("\n");
  });
  return `<figure>
<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Latency and traffic of each node over time">
${panels.join("\n")}
${timeAxis(x, height)}
</svg>
<figcaption>${legend()}</figcaption>
</figure>`;
}

/** Faults as bands over the nodes that they hit, and when Redis answered again. */
function bands(run: ChaosRun, node: string, x: X, top: number): string {
  const bottom = top + PANEL - 26;
  return run.happenings
    .map((happening, index) => {
      if (!happening.nodes.includes(node)) return "";
      const { event, effectiveAt, healedAt } = happening;
      const [from, to] = [x(effectiveAt), x(healedAt)];
      const width = Math.max(2, to - from);
      const { failBackMs } = event.node === node ? turnsOf(run, happening) : {};
      const back = failBackMs === undefined ? undefined : x(healedAt + failBackMs);
      const label = `${index + 1} ${event.fault}`;
      const nameAt = Math.min(from, WIDTH - RIGHT - 90);
      return `<rect class="band" x="${n(from)}" y="${top - 8}" width="${n(width)}" height="${bottom - top + 8}"/>
<path class="edge" d="M${n(from)} ${top - 8}V${bottom}"/>
<text class="fault" x="${n(nameAt)}" y="${top - 13}">${escapeText(label)}</text>
${back === undefined ? "" : `<path class="back" d="M${n(back)} ${top - 8}V${bottom}"><title>Redis answers again</title></path>`}`;
    })
    .join("\n");
}

function latencyAxis(node: string, y: Y, top: number): string {
  const lines = TICKS_MS.map((ms) => {
    const at = n(y(ms));
    return `<path class="grid" d="M${LEFT} ${at}H${WIDTH - RIGHT}"/><text x="${LEFT - 8}" y="${at}" dy=".32em" text-anchor="end">${ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`}</text>`;
  });
  const budget = n(y(BUDGET_MS));
  return `${lines.join("\n")}
<path class="budget" d="M${LEFT} ${budget}H${WIDTH - RIGHT}"/><text class="fault" x="${WIDTH - RIGHT}" y="${budget}" dy="-4" text-anchor="end">budget</text>
<text class="name" x="8" y="${top - 13}">node ${escapeText(node)}</text>`;
}

function dots(run: ChaosRun, node: string, x: X, y: Y): string {
  const guilty = new Set(run.anomalies.flatMap(({ calls }) => calls.at(-1) ?? []));
  const mine = run.calls.filter((call) => call.node === node && Number.isFinite(call.settledAt));
  const one = (call: Call) => {
    const [cx, cy] = [n(x(call.settledAt)), n(y(Math.max(1, latencyOf(call))))];
    const title = `<title>${escapeText(`${formatCall(call)} (${latencyOf(call).toFixed(1)} ms)`)}</title>`;
    const ring = guilty.has(call.index)
      ? `<circle class="anomaly" cx="${cx}" cy="${cy}" r="7"/>`
      : "";
    const mark =
      call.outcome === "unknown"
        ? `<path class="unknown" d="M${cx} ${cy}m-4-4l8 8m0-8l-8 8">${title}</path>`
        : `<circle class="dot ${colour(call)}" cx="${cx}" cy="${cy}" r="3">${title}</circle>`;
    return ring + mark;
  };
  return mine.map(one).join("");
}

function colour({ op }: Call): "read" | "change" | "end" {
  if (op === "get" || op === "list") return "read";
  return op === "destroy" || op === "destroyAll" || op === "rotate" ? "end" : "change";
}

/** Redis above the line, PostgreSQL below it. */
function traffic(run: ChaosRun, node: string, x: X, top: number): string {
  const samples = run.traffic.filter((sample) => sample.node === node);
  const most = Math.max(1, ...run.traffic.flatMap(({ redis, postgres }) => [redis, postgres]));
  const middle = top + TRAFFIC / 2;
  const half = scaleLinear([0, Math.sqrt(most)], [0, TRAFFIC / 2]);
  const shape = (of: (sample: TrafficSample) => number, direction: 1 | -1) =>
    area<TrafficSample>()
      .x(({ at }) => x(at))
      .y0(middle)
      .y1((sample) => middle + direction * half(Math.sqrt(of(sample))))
      .curve(curveStepBefore)
      .digits(1)(samples) ?? "";
  return `<path class="redis" d="${shape(({ redis }) => redis, -1)}"/>
<path class="postgres" d="${shape(({ postgres }) => postgres, 1)}"/>
<path class="grid" d="M${LEFT} ${middle}H${WIDTH - RIGHT}"/>
<text x="${LEFT - 8}" y="${middle - TRAFFIC / 4}" dy=".32em" text-anchor="end">Redis</text>
<text x="${LEFT - 8}" y="${middle + TRAFFIC / 4}" dy=".32em" text-anchor="end">PostgreSQL</text>`;
}

function timeAxis(x: X, height: number): string {
  return x
    .ticks(10)
    .map(
      (ms) =>
        `<text x="${n(x(ms))}" y="${height - 10}" text-anchor="middle">${ms / 1_000} s</text>`,
    )
    .join("\n");
}

function legend(): string {
  const key = (shape: string, text: string) =>
    `<svg viewBox="0 0 16 16" style="display:inline-block;width:14px;height:14px;vertical-align:-2px" aria-hidden="true">${shape}</svg>&nbsp;${text}`;
  const dot = (name: string) => `<circle class="${name}" cx="8" cy="8" r="4"/>`;
  return [
    key(dot("read"), "get, list"),
    key(dot("change"), "create, update, touch"),
    key(dot("end"), "rotate, destroy, destroyAll"),
    key(`<path class="unknown" d="M4 4l8 8m0-8l-8 8"/>`, "outcome unknown"),
    key(`<circle class="anomaly" cx="8" cy="8" r="6"/>`, "where an anomaly showed"),
    key(`<rect class="band" width="16" height="16"/>`, "fault"),
    key(`<path class="back" d="M8 0V16"/>`, "Redis answers again"),
    "below: bytes over the wire, on a square-root scale; the run ends with a look at every session",
  ].join(" &emsp; ");
}

/** One decimal is a tenth of a pixel. */
function n(value: number): string {
  return value.toFixed(1);
}
