import { type Experiment, type ExperimentDefinition, Latencies, Results } from "../src/index.ts";

/** What a contender measured in one turn: a value, or latencies in milliseconds. */
export type Measured = { readonly [metric: string]: number | readonly number[] };

export const definition: ExperimentDefinition = {
  title: "made up",
  parameters: { size: { what: "how much", full: 1_000, quick: 10 } },
  engines: {},
  contenders: { ours: { what: "one" }, theirs: { what: "another" } },
  metrics: {
    cost: { what: "what it takes", kind: "value", unit: "B" },
    recall: { what: "share of what should be found", kind: "value", unit: "1" },
  },
  open: () => Promise.reject(new Error("nobody runs it")),
};
export const experiment: Experiment = {
  name: "made-up",
  file: "made-up.ts",
  sha256: "",
  definition,
};

const environment = {
  system: "Debian",
  kernel: "6.1",
  arch: "x64",
  cpu: "some",
  cores: 2,
  memoryBytes: 2 ** 34,
  node: "v24",
  load: 0.5,
  engines: {},
};

/** Results as a journal would give them. */
export function resultsOf(
  turns: readonly { readonly [contender: string]: Measured }[],
  size = 1_000,
): Results {
  return new Results(
    experiment,
    { size },
    environment,
    turns.map((contenders, number) => ({
      kind: "turn",
      session: "",
      number,
      order: Object.keys(contenders),
      endedAt: "2026-11-22T00:00:00.000Z",
      load: 0.5,
      contenders: Object.fromEntries(
        Object.entries(contenders).map(([contender, measured]) => [contender, encode(measured)]),
      ),
    })),
  );
}

function encode(measured: Measured): Record<string, number | { histogram: string }> {
  return Object.fromEntries(
    Object.entries(measured).map(([metric, value]) => {
      if (typeof value === "number") return [metric, value];
      const latencies = new Latencies();
      for (const each of value) latencies.record(each);
      return [metric, { histogram: latencies.encode() }];
    }),
  );
}
