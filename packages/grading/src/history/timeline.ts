import { ticks } from "d3-array";
import { create } from "xmlbuilder2";
import type { XMLBuilder } from "xmlbuilder2/lib/interfaces.js";
import { formatOperation, type Operation } from "./history.ts";

/** A time with a name: a fault while it lasts, or a step, which has no end. */
export interface TimelineBand {
  readonly name: string;
  /** On the history's clock, in milliseconds. */
  readonly from: number;
  /** Left away: a moment. Infinity: to the end of the picture. */
  readonly to?: number;
}

export interface TimelineOptions {
  readonly operations: readonly Operation[];
  /** Operations to number and to list, in this order: a counterexample. */
  readonly highlights?: readonly Operation[];
  readonly bands?: readonly TimelineBand[];
  /** What the picture is of, for those who don't see it too. */
  readonly title?: string;
  /** What is to be seen in it. */
  readonly description?: string;
}

const WIDTH = 960;
const LANE = 26;
const BAR = 14;
const LINE = 17;
const MARGIN = 12;
/** Of a character of the picture's font, in pixels, so that nothing has to be measured. */
const LETTER = 7.3;
const MOST_LETTERS = 118;

const STYLE = `
text { font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #1f2328 }
.paper { fill: #ffffff } .lane, .tick { stroke: #d1d9e0 } .moment { stroke: #57606a; stroke-dasharray: 2 3 }
.band { fill: #8250df; fill-opacity: 0.13 }
.ok { fill: #2da44e; stroke: #1a7f37 } .fail { fill: none; stroke: #6e7781; stroke-width: 1.5 }
.unknown { fill: #d4a72c; fill-opacity: 0.45; stroke: #9a6700; stroke-dasharray: 4 3 }
.dim { opacity: 0.45 } .proof { stroke: #cf222e; stroke-width: 2.5; stroke-dasharray: none }
.badge { fill: #cf222e } .badge-text { fill: #ffffff; font-weight: bold; text-anchor: middle }
.axis { text-anchor: middle }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .paper { fill: #0d1117 } .lane, .tick { stroke: #30363d } .moment { stroke: #8b949e }
.band { fill: #a371f7; fill-opacity: 0.22 } .fail { stroke: #8b949e }
.ok { fill: #238636; stroke: #3fb950 } .unknown { fill: #9e6a03; stroke: #d29922 }
.proof { stroke: #ff7b72 } .badge { fill: #ff7b72 } .badge-text { fill: #0d1117 }
}`;

/**
 * Draws a history as an SVG that needs nothing else: a lane for each process and a bar for each
 * operation, from its beginning to its end; one that was never answered stays open to the right.
 * Filled is `ok`, hollow `fail`, dashed `unknown`. It follows the reader's light or dark scheme.
 */
export function renderTimeline({
  operations,
  highlights = [],
  bands = [],
  title = "History of operations",
  description = `${operations.length} operations of ${new Set(operations.map((one) => one.process)).size} processes.`,
}: TimelineOptions): string {
  const processes = [...new Set(operations.map(({ process }) => process))];
  const left =
    MARGIN * 2 + LETTER * Math.max(4, ...processes.map((name) => shorten(name, 24).length));
  const { begin, end } = spanOf(operations, bands);
  const x = (ms: number) => left + ((ms - begin) / (end - begin)) * (WIDTH - left - MARGIN * 2);
  const named = rowsOf(bands, x, left);
  const top = MARGIN + LINE * (named.rows + 1);
  const bottom = top + LANE * processes.length;
  const listed = bottom + LINE * 3;
  const height = Math.ceil(listed + LINE * (highlights.length + 1));

  const svg = create({ invalidCharReplacement: "�" }).ele("svg", {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${WIDTH} ${height}`,
    width: WIDTH,
    height,
    role: "img",
    "aria-labelledby": "title desc",
  });
  svg.ele("title", { id: "title" }).txt(title);
  svg.ele("desc", { id: "desc" }).txt(description);
  svg.ele("style").txt(STYLE);
  svg.ele("rect", { class: "paper", width: WIDTH, height });

  for (const { band, row } of named.bands) drawBand(svg, band, row, { x, end, top, bottom });
  for (const ms of ticks(begin, end, 8)) {
    line(svg, "tick", x(ms), bottom, x(ms), bottom + 5);
    text(svg, x(ms), bottom + LINE + 3, `${ms}`, "axis");
  }
  text(svg, MARGIN, bottom + LINE + 3, "ms");
  for (const [index, process] of processes.entries()) {
    const middle = top + LANE * (index + 0.5);
    line(svg, "lane", left, middle, WIDTH - MARGIN, middle);
    text(svg, MARGIN, middle + 4, shorten(process, 24));
  }
  const numbers = new Map(highlights.map(({ index }, place) => [index, place + 1]));
  // What stays open lies below what came after it; what is highlighted lies on top.
  const inOrder = operations.toSorted(
    (one, other) =>
      Number(numbers.has(one.index)) - Number(numbers.has(other.index)) ||
      Number(Number.isFinite(one.completedAt)) - Number(Number.isFinite(other.completedAt)),
  );
  for (const operation of inOrder) {
    const lane = top + LANE * processes.indexOf(operation.process);
    drawBar(svg, operation, lane, {
      x,
      end,
      number: numbers.get(operation.index),
      dim: numbers.size > 0,
    });
  }
  for (const [place, operation] of highlights.entries()) {
    const base = listed + LINE * (place + 0.5);
    badge(svg, MARGIN + 8, base - 4, place + 1);
    text(svg, MARGIN + 24, base, shorten(formatOperation(operation).trim(), MOST_LETTERS));
  }
  return `${svg.end({ headless: true, prettyPrint: true })}\n`;
}

function spanOf(operations: readonly Operation[], bands: readonly TimelineBand[]) {
  const times = [
    ...operations.flatMap(({ invokedAt, completedAt }) => [invokedAt, completedAt]),
    ...bands.flatMap(({ from, to }) => [from, to ?? from]),
  ].filter(Number.isFinite);
  const begin = times.reduce((least, ms) => Math.min(least, ms), times[0] ?? 0);
  const last = times.reduce((most, ms) => Math.max(most, ms), begin);
  // Room to the right, so that what stays open is seen to.
  return { begin, end: last + Math.max(1, (last - begin) * 0.04) };
}

/** Names of bands that would run into each other go into rows of their own. */
function rowsOf(bands: readonly TimelineBand[], x: (ms: number) => number, left: number) {
  const ends: number[] = [];
  const placed = bands
    .toSorted((one, other) => one.from - other.from)
    .map((band) => {
      const start = nameAt(band, x, left);
      const free = ends.findIndex((end) => end < start);
      const row = free === -1 ? ends.length : free;
      ends[row] = start + (shorten(band.name, 40).length + 1) * LETTER;
      return { band: { ...band, at: start }, row };
    });
  return { bands: placed, rows: ends.length };
}

/** Near the right edge a name begins further left, so that it stays in the picture. */
function nameAt({ name, from }: TimelineBand, x: (ms: number) => number, left: number): number {
  const most = WIDTH - MARGIN - shorten(name, 40).length * LETTER;
  return Math.max(left, Math.min(x(from) + 3, most));
}

interface Frame {
  readonly x: (ms: number) => number;
  /** In milliseconds. */
  readonly end: number;
}

function drawBand(
  svg: XMLBuilder,
  { name, from, to, at }: TimelineBand & { at: number },
  row: number,
  { x, end, top, bottom }: Frame & { top: number; bottom: number },
): void {
  const y = MARGIN + LINE * (row + 0.7);
  if (to === undefined) line(svg, "moment", x(from), y - 9, x(from), bottom);
  else {
    const width = Math.max(2, x(Math.min(to, end)) - x(from));
    svg.ele("rect", {
      class: "band",
      x: px(x(from)),
      y: px(y - 12),
      width: px(width),
      height: px(bottom - y + 12),
    });
  }
  text(svg, at, Math.min(y, top), shorten(name, 40));
}

function drawBar(
  svg: XMLBuilder,
  operation: Operation,
  lane: number,
  { x, end, number, dim }: Frame & { number: number | undefined; dim: boolean },
): void {
  const from = x(operation.invokedAt);
  const to = x(Math.min(operation.completedAt, end));
  const width = Math.max(number ? 4 : 2, to - from);
  const emphasis = number ? " proof" : dim ? " dim" : "";
  const y = lane + (LANE - BAR) / 2;
  const group = svg.ele("g");
  group.ele("title").txt(formatOperation(operation).trim());
  const isOpen = !Number.isFinite(operation.completedAt);
  // Without a right edge when nobody knows where it is.
  group.ele("path", {
    class: `${operation.outcome}${emphasis}`,
    d: `M${px(from + width)} ${px(y)}H${px(from)}V${px(y + BAR)}H${px(from + width)}${isOpen ? "" : "Z"}`,
  });
  const label = `${operation.op} ${operation.value}`;
  if (label.length * LETTER + 8 < width && !isOpen) text(group, from + 4, y + 11, label);
  if (number) badge(group, from, y - 1, number);
}

function badge(svg: XMLBuilder, cx: number, cy: number, number: number): void {
  svg.ele("circle", { class: "badge", cx: px(cx), cy: px(cy), r: 8 });
  text(svg, cx, cy + 4, `${number}`, "badge-text");
}

function line(svg: XMLBuilder, name: string, x1: number, y1: number, x2: number, y2: number): void {
  svg.ele("line", { class: name, x1: px(x1), y1: px(y1), x2: px(x2), y2: px(y2) });
}

function text(svg: XMLBuilder, x: number, y: number, words: string, name?: string): void {
  svg.ele("text", { x: px(x), y: px(y), ...(name ? { class: name } : {}) }).txt(words);
}

function px(length: number): string {
  return String(Math.round(length * 10) / 10);
}

function shorten(words: string, most: number): string {
  return words.length <= most ? words : `${words.slice(0, most - 1)}…`;
}
