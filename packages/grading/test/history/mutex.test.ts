import { describe, expect, it } from "vitest";
import { checkMutex, type MutexOp, type Operation, randomFrom } from "../../src/index.ts";
import { mutex } from "./objects.ts";
import { endOf, historyOf, never, type Row } from "./rows.ts";

const by = (process: string, token: number, op: MutexOp = "write") =>
  op === "acquire" ? { process, result: token } : { process, input: token };

describe("histories with known verdicts", () => {
  const cases: [string, string[], Row<MutexOp>[], number?][] = [
    ["nothing", [], []],
    [
      "one after the other",
      [],
      [
        ["acquire", 0, 1, by("a", 1, "acquire")],
        ["release", 2, 3, by("a", 1)],
        ["acquire", 2, 5, by("b", 2, "acquire")],
      ],
    ],
    [
      "both hold it",
      ["held-twice"],
      [
        ["acquire", 0, 1, by("a", 1, "acquire")],
        ["acquire", 2, 3, by("b", 2, "acquire")],
        ["release", 4, 5, by("a", 1)],
      ],
    ],
    [
      "the release may have happened, answered or not",
      [],
      [
        ["acquire", 0, 1, by("a", 1, "acquire")],
        ["release", 2, never, by("a", 1)],
        ["acquire", 3, 4, by("b", 2, "acquire")],
      ],
    ],
    [
      "the lease was over",
      [],
      [
        ["acquire", 0, 1, by("a", 1, "acquire")],
        ["acquire", 11, 12, by("b", 2, "acquire")],
      ],
      10,
    ],
    [
      "the lease was not over",
      ["held-twice"],
      [
        ["acquire", 0, 1, by("a", 1, "acquire")],
        ["acquire", 8, 9, by("b", 2, "acquire")],
      ],
      10,
    ],
    [
      "a grant without an answer proves nothing",
      [],
      [
        ["acquire", 0, never, { process: "a" }],
        ["acquire", 2, 3, by("b", 2, "acquire")],
      ],
    ],
    [
      "tokens go down",
      ["token-order"],
      [
        ["acquire", 0, 1, by("a", 2, "acquire")],
        ["release", 2, 3, by("a", 2)],
        ["acquire", 4, 5, by("b", 1, "acquire")],
      ],
    ],
    [
      "the same token for two that overlap",
      ["token-order"],
      [
        ["acquire", 0, 5, by("a", 1, "acquire")],
        ["acquire", 0, 6, by("b", 1, "acquire")],
      ],
      5,
    ],
    [
      "tokens of grants that overlap come in any order",
      [],
      [
        ["acquire", 0, 6, by("a", 2, "acquire")],
        ["acquire", 1, 6, by("b", 1, "acquire")],
      ],
      5,
    ],
    [
      "an old holder's write is accepted (Kleppmann 2016)",
      ["stale-write"],
      [
        ["acquire", 0, 1, by("a", 33, "acquire")],
        ["acquire", 20, 21, by("b", 34, "acquire")],
        ["write", 22, 23, by("b", 34)],
        ["write", 24, 25, by("a", 33)],
      ],
      10,
    ],
    [
      "an old holder's write is refused (Kleppmann 2016)",
      [],
      [
        ["acquire", 0, 1, by("a", 33, "acquire")],
        ["acquire", 20, 21, by("b", 34, "acquire")],
        ["write", 22, 23, by("b", 34)],
        ["write", 24, 25, { process: "a", input: 33, outcome: "fail" }],
      ],
      10,
    ],
    [
      "writes that overlap may come in any order",
      [],
      [
        ["write", 0, 3, by("b", 34)],
        ["write", 1, 4, by("a", 33)],
      ],
    ],
    [
      "the same token writes again",
      [],
      [
        ["write", 0, 1, by("a", 1)],
        ["write", 2, 3, by("a", 1)],
      ],
    ],
  ];
  it.each(cases)("%s", (_, kinds, rows, leaseMs) => {
    const options = leaseMs === undefined ? {} : { leaseMs };
    const verdict = checkMutex(historyOf("lock", ...rows), options);
    const found = Object.entries(verdict.anomalies).filter(([, subjects]) => subjects.length > 0);
    expect(found.map(([kind]) => kind)).toEqual(kinds);
    expect(verdict.valid).toBe(kinds.length === 0);
    // Whatever is left out of the proof but a release, the rest proves nothing.
    const proof = verdict.counterexample as Operation<MutexOp>[];
    for (const left of proof.filter(({ op }) => op !== "release")) {
      expect(
        checkMutex(
          proof.filter((one) => one !== left),
          options,
        ).valid,
      ).toBe(true);
    }
  });

  it("refuses what is no token", () => {
    expect(() => checkMutex(historyOf("lock", ["acquire", 0, 1, { result: "7" }]))).toThrow(
      RangeError,
    );
  });
});

describe("histories made at random", () => {
  it.each(Array.from({ length: 20 }, (_, seed) => seed))("judges mutations (seed %i)", (seed) => {
    const random = randomFrom(seed);
    const history = mutex({ random, count: 600 });
    expect(checkMutex(history)).toMatchObject({ valid: true });
    expect(checkMutex(mutex({ random, count: 600, unknownPercent: 2 }))).toMatchObject({
      valid: true,
    });
    const grants = history.filter(({ op, outcome }) => op === "acquire" && outcome === "ok");
    const writes = history.filter(({ op, outcome }) => op === "write" && outcome === "ok");
    expect(grants.length).toBeGreaterThan(20);

    // Two grants swap their tokens.
    const [one, other] = [grants[3], grants[9]] as const;
    const swapped = history.map((it) =>
      it === one
        ? { ...it, result: other?.result }
        : it === other
          ? { ...it, result: one?.result }
          : it,
    );
    expect(checkMutex(swapped).anomalies["token-order"]).toEqual(["lock"]);

    // A holder that never began to release, and yet the next one was let in.
    const released = history.find(
      ({ op, input }) => op === "release" && input === grants[3]?.result,
    );
    const forgotten = history.filter((it) => it !== released);
    expect(checkMutex(forgotten).anomalies["held-twice"]).toEqual(["lock"]);

    // The store accepts the first write again, after all others.
    const at = endOf(history);
    const late = historyOf<MutexOp>("lock", ["write", at, at + 1, { input: writes[0]?.input }]);
    expect(checkMutex([...history, ...late]).anomalies["stale-write"]).toEqual(["lock"]);
  });
});
