import type { CheckResult } from "../scorecard.ts";
import { type Content, html, type Markup } from "./markup.ts";

type TimelineEvent = NonNullable<CheckResult["timeline"]>[number];

/** Sizes are units of the drawing, about a pixel each on a wide screen. */
const WIDTH = 960;
const GUTTER = 92;
const RIGHT = 14;
const ROW = 9;
const FAULT_ROW = 17;
const LANE_GAP = 9;
const STEP_LANE = 24;
const AXIS = 22;
const DOT = 16;
const MOST_ROWS = 12;

interface Placed {
  readonly event: TimelineEvent;
  readonly row: number;
}
interface Lane {
  readonly name: string;
  readonly kind: "fault" | "call";
  readonly top: number;
  readonly height: number;
  readonly placed: readonly Placed[];
}

/** What a check did, against time: a lane per node and per engine that was broken. */
export function timeline(check: CheckResult): Markup | undefined {
  const events = check.timeline ?? [];
  if (events.length === 0) return undefined;
  const [from, until] = span(events);
  const x = (ms: number) =>
    round(GUTTER + ((Math.max(ms, from) - from) / (until - from)) * (WIDTH - GUTTER - RIGHT));
  const end = (event: TimelineEvent) =>
    event.tookMs === undefined ? WIDTH - RIGHT : x(event.atMs + event.tookMs);

  const steps = events.filter(({ kind }) => kind === "step");
  const lanes = lanesOf(events, steps.length > 0 ? STEP_LANE : 4, x, end);
  const bottom = lanes.reduce((low, lane) => Math.max(low, lane.top + lane.height), STEP_LANE) + 4;
  const faults = events.filter(({ kind }) => kind === "fault");
  const calls = events.filter(({ kind }) => kind === "call");
  const describe = `${calls.length} calls, ${faults.length} faults, ${steps.length} steps in ${duration(until - from)}. The events follow as text.`;

  return html`<figure>
<div class="scroll" tabindex="0" role="group" aria-label="Timeline of ${check.id}">
<svg viewBox="0 0 ${WIDTH} ${bottom + AXIS}" role="img" aria-label="${describe}">
${ticks(from, until).map(
  (ms) => html`<line class="grid" x1="${x(ms)}" x2="${x(ms)}" y1="2" y2="${bottom}"/>
<text class="tick" x="${x(ms)}" y="${bottom + 15}" text-anchor="middle">${duration(ms)}</text>`,
)}
${faults.map((event) => band(event, x(event.atMs), end(event), bottom))}
${lanes.map((lane) => laneOf(lane, x, end))}
${stepMarks(steps, x, bottom)}
</svg></div>
<figcaption>${legend(events)}${check.callsLeftOut ? ` · ${check.callsLeftOut} earlier calls are not drawn` : undefined}
${steps.length > 0 ? html`<ol class="steps">${steps.map((step, index) => html`<li><b>${index + 1}</b> ${step.text} <span class="at">${duration(step.atMs)}</span></li>`)}</ol>` : undefined}
</figcaption></figure>`;
}

/** The time that is drawn: starting nodes takes long and tells little, so most of that is cut off. */
function span(events: readonly TimelineEvent[]): [from: number, until: number] {
  const telling = events.filter(({ text }) => !text.startsWith("createNode("));
  const first = Math.min(...(telling.length > 0 ? telling : events).map(({ atMs }) => atMs));
  const last = Math.max(...events.map((event) => event.atMs + (event.tookMs ?? 0)));
  const length = Math.max(last - first, 10);
  return [Math.max(0, first - length / 16), first + length];
}

function lanesOf(
  events: readonly TimelineEvent[],
  top: number,
  x: (ms: number) => number,
  end: (event: TimelineEvent) => number,
): Lane[] {
  let y = top;
  const lane = (kind: Lane["kind"], name: string): Lane => {
    const own = events.filter(
      (event) => event.kind === kind && (kind === "call" ? event.node : event.engine) === name,
    );
    const { placed, rows } = pack(own, (event) => {
      const start = x(event.atMs);
      const label = kind === "fault" ? textWidth(faultName(event)) + 12 : 3;
      return [Math.min(start, WIDTH - RIGHT - label), Math.max(end(event), start + label)];
    });
    const height = rows * (kind === "fault" ? FAULT_ROW : ROW);
    const made = { name, kind, top: y, height, placed };
    y += height + LANE_GAP;
    return made;
  };
  const named = (kind: Lane["kind"]) => [
    ...new Set(
      events
        .filter((event) => event.kind === kind)
        .map((event) => (kind === "call" ? event.node : event.engine) ?? "?"),
    ),
  ];
  return [
    ...named("fault").map((name) => lane("fault", name)),
    ...named("call")
      .sort()
      .map((name) => lane("call", name)),
  ];
}

/** Rows such that what overlaps in time lies one below the other, up to a height that stays readable. */
function pack(
  events: readonly TimelineEvent[],
  extent: (event: TimelineEvent) => [from: number, to: number],
): { placed: Placed[]; rows: number } {
  const ends: number[] = [];
  const placed = events.map((event, index) => {
    const [from, to] = extent(event);
    let row = ends.findIndex((free) => free <= from);
    if (row === -1) row = ends.length < MOST_ROWS ? ends.length : index % MOST_ROWS;
    ends[row] = Math.max(to, ends[row] ?? 0);
    return { event, row };
  });
  return { placed, rows: Math.max(1, ends.length) };
}

function laneOf(
  lane: Lane,
  x: (ms: number) => number,
  end: (event: TimelineEvent) => number,
): Markup {
  const middle = lane.top + lane.height / 2 + 4;
  const shown = lane.name.length > 13 ? `${lane.name.slice(0, 12)}…` : lane.name;
  const y = lane.top - LANE_GAP / 2;
  return html`<g><line class="lane" x1="0" x2="${WIDTH}" y1="${y}" y2="${y}"/>
<text class="name" x="4" y="${middle}">${lane.kind === "call" ? "node " : ""}${shown}</text>
${lane.placed.map(({ event, row }) =>
  lane.kind === "call"
    ? callBar(event, x(event.atMs), end(event), lane.top + row * ROW)
    : faultLabel(event, x(event.atMs), end(event), lane.top + row * FAULT_ROW),
)}</g>`;
}

function callBar(event: TimelineEvent, from: number, to: number, y: number): Markup {
  const kind = event.tookMs === undefined ? "open" : event.threw ? "threw" : "call";
  const width = round(Math.max(to - from, 1.6));
  return html`<rect class="${kind}" x="${from}" y="${y + 0.5}" width="${width}" height="${ROW - 2}" rx="1"><title>${tooltip(event)}</title></rect>`;
}

function faultLabel(event: TimelineEvent, from: number, to: number, y: number): Markup {
  const room = WIDTH - RIGHT - textWidth(faultName(event));
  return html`<rect class="fault" x="${from}" y="${y + 12}" width="${round(Math.max(to - from, 2))}" height="3"><title>${tooltip(event)}</title></rect>
<text class="label" x="${Math.min(from + 3, room)}" y="${y + 9}">${faultName(event)}</text>`;
}

/** Without the engine, which the lane names. */
function faultName({ text, engine }: TimelineEvent): string {
  return text.startsWith(`${engine}: `) ? text.slice(`${engine}: `.length) : text;
}

function band(event: TimelineEvent, from: number, to: number, bottom: number): Markup {
  const edge = (at: number) =>
    html`<line class="edge" x1="${at}" x2="${at}" y1="2" y2="${bottom}"/>`;
  const width = round(Math.max(to - from, 1));
  return html`<rect class="band" x="${from}" y="2" width="${width}" height="${bottom - 2}"><title>${tooltip(event)}</title></rect>${edge(from)}${event.tookMs === undefined ? undefined : edge(to)}`;
}

/** Numbered where there is room, with a line to when it was. */
function stepMarks(
  steps: readonly TimelineEvent[],
  x: (ms: number) => number,
  bottom: number,
): Content {
  // From the right, so that a crowd at the end is pushed inwards.
  const centres: number[] = [];
  let limit = WIDTH - DOT / 2;
  for (const step of [...steps].reverse()) {
    const centre = Math.min(x(step.atMs), limit);
    centres.unshift(centre);
    limit = centre - DOT;
  }
  return steps.map((step, index) => {
    const at = x(step.atMs);
    const centre = centres[index] ?? at;
    return html`<g><title>${step.text}</title><path class="step-line" fill="none" d="M${centre} 10L${at} ${STEP_LANE - 5}V${bottom}"/>
<circle class="step-dot" cx="${centre}" cy="10" r="7"/><text class="step-number" x="${centre}" y="13.5">${index + 1}</text></g>`;
  });
}

function legend(events: readonly TimelineEvent[]): Content {
  const calls = events.filter(({ kind }) => kind === "call");
  const keys: [string, string, boolean][] = [
    ["call", "a call", calls.length > 0],
    ["threw", "ended with an error", calls.some(({ threw }) => threw)],
    ["open", "no answer yet", calls.some(({ tookMs }) => tookMs === undefined)],
    ["fault", "a fault, from injection to heal", events.some(({ kind }) => kind === "fault")],
  ];
  return keys
    .filter(([, , shown]) => shown)
    .map(([name, text]) => html`<span class="key ${name}"></span>${text}`);
}

function tooltip(event: TimelineEvent): string {
  const took = event.tookMs === undefined ? "" : ` (${duration(event.tookMs)})`;
  return `${duration(event.atMs)}  ${event.node ? `${event.node}: ` : ""}${event.text}${took}`;
}

/** Round times, at most ten of them. */
function ticks(from: number, until: number): number[] {
  const wanted = (until - from) / 9;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= wanted) ?? 10);
  const first = Math.ceil(from / step) * step;
  return Array.from({ length: Math.floor((until - first) / step) + 1 }, (_, i) => first + i * step);
}

function duration(ms: number): string {
  if (ms >= 1_000) return `${Number((ms / 1_000).toFixed(2))} s`;
  return `${Number(ms.toFixed(ms < 10 ? 1 : 0))} ms`;
}

/** Roughly, for the 11-unit font. */
function textWidth(text: string): number {
  return text.length * 6;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
