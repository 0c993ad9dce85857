/** The parts of the chaos monkey, without engines: schedules, what counts as met, judging, the page. */
import { describe, expect, test } from "vitest";
import type { Call } from "../chaos/calls.ts";
import { overlapping } from "../chaos/driver.ts";
import { judge } from "../chaos/judge.ts";
import { readOptions, usage } from "../chaos/options.ts";
import { renderPage } from "../chaos/page/page.ts";
import { percentile } from "../chaos/percentile.ts";
import { describeEvent, parseSchedule, type Schedule, scheduleFrom } from "../chaos/schedule.ts";
import { shrink } from "../chaos/shrink.ts";

const OUTAGES = ["kill", "stop", "replace", "pause", "blackHole"];

describe("schedules", () => {
  test("every seed makes a valid schedule, the same each time, with an outage in it", () => {
    for (let seed = 0; seed < 500; seed++) {
      const schedule = scheduleFrom(seed);
      expect(parseSchedule(JSON.stringify(schedule), "test")).toEqual(schedule);
      expect(scheduleFrom(seed)).toEqual(schedule);
      expect(schedule.events.some(({ fault }) => OUTAGES.includes(fault))).toBe(true);
    }
  });

  test("neighbouring seeds differ, and all faults and writes occur", () => {
    const events = Array.from({ length: 200 }, (_, seed) => scheduleFrom(seed)).flatMap(
      (schedule) => schedule.events,
    );
    expect(new Set(events.map(({ fault }) => fault)).size).toBe(7);
    expect(new Set(events.map(({ write }) => write)).size).toBe(6);
    expect(
      new Set(Array.from({ length: 50 }, (_, seed) => JSON.stringify(scheduleFrom(seed).events)))
        .size,
    ).toBe(50);
  });

  test("in words", () => {
    expect(
      Array.from({ length: 5 }, (_, seed) => scheduleFrom(seed).events.map(describeEvent)),
    ).toMatchSnapshot();
  });

  const refused: [string, (schedule: Schedule) => unknown][] = [
    ["an unknown fault", (s) => ({ ...s, events: [{ ...s.events[0], fault: "flood" }] })],
    ["an unknown node", (s) => ({ ...s, events: [{ ...s.events[0], node: "z" }] })],
    [
      "a kill of one node's Redis",
      (s) => ({
        ...s,
        events: [{ ...s.events[0], fault: "kill", nodes: ["a", "b"], delayMs: undefined }],
      }),
    ],
    ["no JSON", () => undefined],
  ];
  test.each(refused)("%s is refused", (_, change) => {
    const text = JSON.stringify(change(scheduleFrom(1))) ?? "{";
    expect(() => parseSchedule(text, "schedule.json")).toThrowErrorMatchingSnapshot();
  });

  test("shrinking keeps what still fails", async () => {
    const long = scheduleFrom(
      Array.from({ length: 99 }, (_, seed) => seed).find(
        (seed) => scheduleFrom(seed).events.length === 3,
      ) ?? 0,
    );
    const culprit = long.events[1];
    let runs = 0;
    const smallest = await shrink(
      long,
      async ({ events }) => {
        runs += 1;
        return events.some((event) => event === culprit);
      },
      20,
    );
    expect(smallest.events).toEqual([culprit]);
    expect(smallest.load.clients).toBe(1);
    expect(runs).toBeLessThanOrEqual(20);
  });
});

test("a write meets a fault when it was invoked before and not answered in between", () => {
  const calls = history(
    { op: "update", invokedAt: 1, settledAt: 30 },
    { op: "update", invokedAt: 1, settledAt: 15 },
    { op: "update", invokedAt: 12, settledAt: 30 },
    { op: "update", invokedAt: 1, settledAt: Number.POSITIVE_INFINITY },
    { op: "get", invokedAt: 1, settledAt: 30 },
    { op: "update", node: "b", invokedAt: 1, settledAt: 30 },
  );
  expect(overlapping(calls, ["a"], 10, 20).map(({ index }) => index)).toEqual([0, 3]);
});

describe("the judge", () => {
  const fault = [{ orderedAt: 1_000, healedAt: 1_500 }];
  const created: Partial<Call> = {
    op: "create",
    device: "d1",
    session: session(1),
    invokedAt: 0,
    settledAt: 5,
  };
  const kinds = (
    calls: Partial<Call>[],
    happenings: { orderedAt: number; healedAt: number }[] = [],
  ) => judge({ calls: history(...calls), happenings }).map(({ kind }) => kind);
  const update: Partial<Call> = {
    op: "update",
    id: "s1",
    session: session(2),
    token: "t2",
    invokedAt: 10,
    settledAt: 20,
  };
  const destroy: Partial<Call> = {
    op: "destroy",
    id: "s1",
    device: "d1",
    invokedAt: 30,
    settledAt: 40,
  };
  const get = (at: number, version: number | null, node = "a"): Partial<Call> => ({
    op: "get",
    id: "s1",
    node,
    session: version === null ? null : session(version),
    invokedAt: at,
    settledAt: at + 2,
  });
  const during = { invokedAt: 1_100, settledAt: 1_110 };

  test.each<[string, string[], Partial<Call>[], typeof fault?]>([
    ["all is well", [], [created, get(6, 1), update, get(21, 2, "b"), destroy, get(41, null, "b")]],
    ["an acknowledged session is gone", ["lost"], [created, get(6, null)]],
    [
      "a write says so too",
      ["lost"],
      [
        created,
        { op: "touch", id: "s1", outcome: "fail", code: "NOT_FOUND", invokedAt: 6, settledAt: 7 },
      ],
    ],
    ["a destroyed session is back", ["resurrected"], [created, destroy, get(41, 1, "b")]],
    [
      "a rotated id still works",
      ["resurrected"],
      [
        created,
        {
          op: "rotate",
          id: "s1",
          session: { ...session(1), id: "s2" },
          invokedAt: 10,
          settledAt: 12,
        },
        get(13, 1),
      ],
    ],
    [
      "an end of unknown outcome explains both answers",
      [],
      [
        created,
        { ...destroy, outcome: "unknown", code: "TIMED_OUT" },
        get(45, 1),
        get(2_000, null),
      ],
    ],
    [
      "and not both of them in the end",
      ["resurrected"],
      [
        created,
        { ...destroy, outcome: "unknown", code: "TIMED_OUT" },
        get(2_000, null),
        get(2_010, 1, "b"),
      ],
    ],
    ["an older version", ["stale"], [created, update, get(21, 1, "b")]],
    [
      "an older version within S of a write during a fault",
      [],
      [created, { ...update, ...during }, get(1_200, 1, "b")],
      fault,
    ],
    [
      "an older version later than S",
      ["stale"],
      [created, { ...update, ...during }, get(1_700, 1, "b")],
      fault,
    ],
    [
      "an older version on the node that wrote",
      ["stale"],
      [created, { ...update, ...during }, get(1_200, 1)],
      fault,
    ],
    [
      "a logout unseen within S of a fault, and then again",
      ["resurrected"],
      [created, { ...destroy, ...during }, get(1_200, 1, "b"), get(1_700, 1, "b")],
      fault,
    ],
    [
      "two winners of one version",
      ["lost update"],
      [
        created,
        update,
        {
          ...update,
          node: "b",
          token: "t3",
          session: { ...session(2), data: { version: 2, token: "t3" } },
        },
      ],
    ],
    [
      "a device that its user's list lacks",
      ["lost"],
      [created, { op: "list", devices: [], invokedAt: 6, settledAt: 7 }],
    ],
    [
      "a device after the logout",
      ["resurrected"],
      [
        created,
        destroy,
        {
          op: "list",
          devices: [{ device: "d1", createdAt: 0, expiresAt: 9 }],
          invokedAt: 50,
          settledAt: 51,
        },
      ],
    ],
    [
      "a touch undone",
      ["stale"],
      [
        created,
        {
          op: "touch",
          id: "s1",
          session: { ...session(1), expiresAt: 90_000 },
          invokedAt: 6,
          settledAt: 7,
        },
        get(8, 1),
      ],
    ],
    ["an answer too late", ["over budget"], [created, { ...get(6, 1), settledAt: 2_000 }]],
    [
      "an error of another kind",
      ["broken"],
      [
        created,
        { ...get(6, 1), session: undefined as never, outcome: "unknown", code: "ECONNRESET" },
      ],
    ],
    [
      "everybody refused",
      ["turned away"],
      [
        created,
        ...Array.from(
          { length: 5 },
          () =>
            ({
              op: "list",
              outcome: "unknown",
              code: "STORE_UNAVAILABLE",
              invokedAt: 1_100,
              settledAt: 1_105,
            }) as const,
        ),
      ],
      fault,
    ],
    [
      "everybody refused where calls took their whole budget before",
      [],
      [
        { ...created, settledAt: 290 },
        ...Array.from(
          { length: 5 },
          () =>
            ({
              op: "list",
              outcome: "unknown",
              code: "STORE_UNAVAILABLE",
              invokedAt: 1_100,
              settledAt: 1_390,
            }) as const,
        ),
      ],
      fault,
    ],
  ])("%s: %j", (_, expected, calls, happenings) => {
    expect(kinds(calls, happenings)).toEqual(expected);
  });
});

test("percentiles are values that were measured", () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect([0.5, 0.99, 1].map((share) => percentile(values, share))).toEqual([50, 99, 100]);
  expect(percentile([], 0.5)).toBeNaN();
});

test("help, and what is said of a wrong option", () => {
  expect(usage).toMatchSnapshot();
  expect(() => readOptions(["--runs", "many"], 1)).toThrowErrorMatchingSnapshot();
  expect(() => readOptions(["--sead", "1"], 1)).toThrowErrorMatchingSnapshot();
  expect(readOptions(["--", "--seed", "7"], 1)).toMatchObject({
    seed: 7,
    runs: 10,
    submission: "reference",
  });
});

test("the page holds what happened, and no markup of a submission", () => {
  const schedule = scheduleFrom(1);
  const [event] = schedule.events;
  if (!event) throw new Error("a schedule has events");
  const page = renderPage({
    schedule,
    submission: "<script>alert(1)</script>",
    calls: history({
      op: "get",
      id: "s1",
      outcome: "unknown",
      code: "<b>",
      invokedAt: 1,
      settledAt: 2,
    }),
    happenings: [
      {
        event,
        nodes: ["a"],
        orderedAt: 5,
        effectiveAt: 6,
        healedAt: 9,
        heldFrom: 4,
        heldUntil: 7,
        overlapped: [0],
      },
    ],
    traffic: [{ at: 2, node: "a", redis: 10, postgres: 5, redisAnswers: 4 }],
    anomalies: [{ kind: "broken", text: "<b>", calls: [0] }],
    durationMs: 10,
  });
  expect(page).toContain(describeEvent(event));
  expect(page).not.toMatch(/<script|<b>[^\w–]|https?:(?!\/\/www\.w3\.org)/);
});

function session(version: number) {
  return {
    id: "s1",
    userId: "u1",
    data: { version, token: `t${version}` },
    version,
    expiresAt: 60_000,
  };
}

function history(...calls: Partial<Call>[]): Call[] {
  return calls.map((call, index) => ({
    index,
    client: "c1",
    node: "a",
    op: "get",
    userId: "u1",
    invokedAt: 0,
    settledAt: 1,
    outcome: "ok",
    ...call,
  }));
}
