/** Pictures of what was measured, as SVG. */
import { toSvg } from "@db-katas/measure/plots";
import type { AdviceInDetail, StatementDetail } from "../advise.ts";

type Spec = Parameters<typeof toSvg>[0];

/** So many fit on a page; the others are in the table. */
const MOST = 20;

/** Stands for the page's own colour of text, which is another one at night. */
const INK = "#010203";
const COLOURS = { before: "#b0791f", after: "#2b8f9e" };
const moments = {
  field: "when",
  type: "nominal",
  title: null,
  scale: { domain: Object.keys(COLOURS), range: Object.values(COLOURS) },
  legend: { orient: "top" },
} as const;
const statement = {
  field: "name",
  type: "nominal",
  sort: null,
  title: null,
  axis: { labelLimit: 60 },
} as const;

/** What each statement's calls take together, the greatest first. */
export function plotOfWork(statements: readonly StatementDetail[]): Promise<string> {
  const values = greatest(statements).flatMap((each) =>
    (["before", "after"] as const).map((when) => ({
      name: nameOf(each),
      when,
      seconds: (each.calls * each[`${when}Ms`]) / 1_000,
    })),
  );
  return svg({
    width: 420,
    height: { step: 11 },
    data: { values },
    mark: { type: "bar" },
    encoding: {
      y: statement,
      yOffset: { field: "when", sort: null },
      x: { field: "seconds", type: "quantitative", title: "calls × time, s" },
      color: moments,
    },
  });
}

/** Every run: whether a change is one, or noise. */
export function plotOfRuns(statements: readonly StatementDetail[]): Promise<string> {
  const values = greatest(statements).flatMap((each) => [
    ...each.runsBeforeMs.map((ms) => ({ name: nameOf(each), when: "before", ms })),
    // The same plan was run once, for both.
    ...(each.runsAfterMs === each.runsBeforeMs ? [] : each.runsAfterMs).map((ms) => ({
      name: nameOf(each),
      when: "after",
      ms,
    })),
  ]);
  return svg({
    width: 420,
    height: { step: 22 },
    data: { values: values.filter(({ ms }) => ms > 0) },
    mark: { type: "tick", thickness: 2, opacity: 0.8, bandSize: 14 },
    encoding: {
      y: statement,
      x: {
        field: "ms",
        type: "quantitative",
        scale: { type: "log" },
        axis: { tickCount: 6, format: "~g" },
        title: "each run, ms (logarithmic)",
      },
      color: moments,
    },
  });
}

/** What each index gains, and takes. */
export function plotOfIndexes({ create, indexes }: AdviceInDetail): Promise<string> {
  const values = indexes.map(({ name, gainMs, sizeBytes }, i) => ({
    name: create[i]?.name ?? name,
    seconds: gainMs / 1_000,
    megabytes: sizeBytes / 1_024 ** 2,
  }));
  const y = { ...statement, axis: { labelLimit: 400 } };
  const bars = (field: string, title: string, color: string): Spec =>
    ({
      width: 240,
      height: { step: 20 },
      mark: { type: "bar", color },
      encoding: { y, x: { field, type: "quantitative", title } },
    }) as Spec;
  return svg({
    data: { values },
    hconcat: [
      bars("seconds", "the workload takes longer without it, s", COLOURS.after),
      {
        ...bars("megabytes", "size, MB", "#7d7f86"),
        encoding: {
          y: { ...y, axis: null },
          x: { field: "megabytes", type: "quantitative", title: "size, MB" },
        },
      },
    ],
  } as Spec);
}

function greatest(statements: readonly StatementDetail[]): readonly StatementDetail[] {
  const work = ({ calls, beforeMs, afterMs }: StatementDetail) =>
    calls * Math.max(beforeMs, afterMs);
  return [...statements].sort((a, b) => work(b) - work(a)).slice(0, MOST);
}

function nameOf({ statement }: StatementDetail): string {
  return `#${statement + 1}`;
}

async function svg(spec: Spec): Promise<string> {
  const text = await toSvg({
    ...spec,
    background: "transparent",
    config: {
      font: "system-ui, sans-serif",
      view: { stroke: null },
      axis: {
        labelColor: INK,
        titleColor: INK,
        domainColor: INK,
        tickColor: INK,
        gridColor: INK,
        gridOpacity: 0.12,
        titleFontWeight: "normal",
      },
      legend: { labelColor: INK },
    },
  } as Spec);
  return text.replaceAll(INK, "currentColor");
}
