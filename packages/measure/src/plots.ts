import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { sizesOf } from "./claim/check.ts";
import type { MeasuredClaim } from "./claim/claim.ts";
import type { Measured } from "./claim/finding.ts";
import type { HistoryEntry } from "./claim/history.ts";
import { type Measure, measuresOf, shareOf } from "./claim/predicate.ts";
import { metricsOf } from "./experiment/definition.ts";
import type { Results } from "./experiment/results.ts";

/** In pixels: fits beside another one on a laptop. */
const SIZE = { width: 420, height: 180 };

/** Renders without a browser: https://vega.github.io/vega/docs/api/view/#view_toSVG */
export async function toSvg(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile(spec).spec), { renderer: "none" });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/**
 * What was measured: turn by turn, where busy moments show; with several sizes, each turn at its size,
 * on logarithmic axes, where a power of the size is a straight line.
 */
export async function plotOfResults(
  claim: MeasuredClaim,
  results: readonly Results[],
): Promise<string> {
  const sizes = sizesOf(claim);
  const values = results.flatMap((each) => pointsOf(claim, each, sizes?.parameter));
  const unit = [...new Set(values.map(({ what }) => what))].join(", ");
  return toSvg({
    ...SIZE,
    data: { values },
    mark: { type: "point", filled: true, opacity: 0.7 },
    encoding: {
      x: sizes
        ? { field: "size", type: "quantitative", scale: { type: "log" }, title: sizes.parameter }
        : {
            field: "turn",
            type: "quantitative",
            title: "turn",
            axis: { tickMinStep: 1, format: "d" },
          },
      y: {
        field: "value",
        type: "quantitative",
        scale: sizes ? { type: "log" } : { zero: true },
        title: unit,
      },
      color: { field: "contender", type: "nominal", title: null, legend: { orient: "top" } },
    },
  });
}

interface Point {
  readonly contender: string;
  readonly turn: number;
  readonly size: number;
  readonly value: number;
  /** `p99 of latency, ms` */
  readonly what: string;
}

/** Of what is compared first; other comparisons are in the text. */
function pointsOf(claim: MeasuredClaim, results: Results, parameter: string | undefined): Point[] {
  const [first] = claim.predicate.comparisons;
  const measures = first ? [...measuresOf(first.left), ...measuresOf(first.right)] : [];
  const all = Object.keys(results.experiment.definition.contenders);
  const size = (parameter && results.parameters[parameter]) || 0;
  return measures.flatMap((measure) =>
    (measure.contender ? [measure.contender] : all).flatMap((contender) =>
      valuesOf(measure, contender, claim, results).map(({ value, what }, turn) => ({
        contender,
        turn,
        size,
        value,
        what,
      })),
    ),
  );
}

function valuesOf(
  { name }: Measure,
  contender: string,
  claim: MeasuredClaim,
  results: Results,
): { value: number; what: string }[] {
  const share = shareOf(name);
  const isStatistic = share !== undefined || name === "mean";
  const metric = isStatistic ? (claim.fields.metric ?? "latency") : name;
  const unit = metricsOf(results.experiment.definition)[metric]?.unit ?? "";
  const what = isStatistic ? `${name} of ${metric}, ${unit}` : `${metric}, ${unit}`;
  const values =
    results.values(contender, metric) ??
    results
      .latencies(contender, metric)
      ?.map((each) => (share === undefined ? each.mean : each.quantile(share))) ??
    [];
  return values.map((value) => ({ value, what }));
}

/** Where the interval of each comparison lies, and where it would have to. */
export async function plotOfIntervals({ comparisons }: Measured): Promise<string> {
  const values = comparisons.map(({ text, judgement, estimate, bound }) => ({
    text,
    judgement,
    ...estimate,
    bound,
  }));
  return toSvg({
    width: SIZE.width,
    height: { step: 40 },
    data: { values },
    encoding: { y: { field: "text", type: "nominal", title: null, axis: { labelLimit: 280 } } },
    layer: [
      {
        mark: { type: "rule", strokeWidth: 3 },
        encoding: {
          x: { field: "low", type: "quantitative", title: "95 % interval, and what was claimed" },
          x2: { field: "high" },
          color: judgementColour,
        },
      },
      {
        mark: { type: "point", filled: true, size: 70, opacity: 1 },
        encoding: { x: { field: "value", type: "quantitative" }, color: judgementColour },
      },
      {
        mark: { type: "tick", thickness: 2, color: "black", height: 24 },
        encoding: { x: { field: "bound", type: "quantitative" } },
      },
    ],
  });
}

/** How a claim's first figure has drifted, from run to run. */
export async function plotOfDrift(history: readonly HistoryEntry[]): Promise<string> {
  const values = history.flatMap(({ at, comparisons, verdict }) => {
    const [first] = comparisons;
    return first ? [{ at, ...first, judgement: verdict }] : [];
  });
  return toSvg({
    ...SIZE,
    data: { values },
    encoding: { x: { field: "at", type: "temporal", title: null } },
    layer: [
      {
        mark: { type: "rule", strokeWidth: 2 },
        encoding: {
          y: { field: "low", type: "quantitative", title: values[0]?.text ?? null },
          y2: { field: "high" },
          color: judgementColour,
        },
      },
      {
        mark: { type: "point", filled: true, opacity: 1 },
        encoding: { y: { field: "value", type: "quantitative" }, color: judgementColour },
      },
      {
        mark: { type: "line", color: "black", strokeDash: [4, 3] },
        encoding: { y: { field: "bound", type: "quantitative" } },
      },
    ],
  });
}

/** The same in all plots, and told apart by those who see no red and green. */
const judgementColour = {
  field: "judgement",
  type: "nominal",
  title: null,
  scale: {
    domain: ["held", "falsified", "inconclusive"],
    range: ["#1b7f8c", "#c8501e", "#8a8a8a"],
  },
  legend: { orient: "top" },
} as const;
