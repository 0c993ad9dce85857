import { describe, expect, it } from "vitest";
import { applyLoad, type Load, type MeasureError, type Request } from "../src/index.ts";
import { VirtualClock } from "./virtual-clock.ts";

const SERVICE_MS = 1;

/** An engine that takes a millisecond, and doesn't answer between 1,000 and 1,200 ms. */
function stalling(clock: VirtualClock): Request {
  return async () => {
    const now = clock.now();
    const stalled = now >= 1_000 && now < 1_200;
    await clock.until((stalled ? 1_200 : now) + SERVICE_MS);
  };
}

function measured(load: Load) {
  const clock = new VirtualClock();
  return clock.during(applyLoad(load, stalling(clock), { clock }));
}

describe("a stall of 200 ms in four seconds", () => {
  it("shows in the p99 of an open loop", async () => {
    const { latencies, lateness } = await measured({ kind: "open", perSecond: 100, ms: 4_000 });
    expect(latencies.count).toBe(400);
    expect(latencies.quantile(0.5)).toBeCloseTo(SERVICE_MS, 2);
    expect(latencies.quantile(0.99)).toBeGreaterThan(150);
    expect(lateness.max).toBe(0);
  });

  it("is hidden by a closed loop", async () => {
    const { latencies } = await measured({ kind: "closed", clients: 1, ms: 4_000 });
    expect(latencies.count).toBeGreaterThan(3_500);
    expect(latencies.quantile(0.99)).toBeCloseTo(SERVICE_MS, 2);
    expect(latencies.max).toBeGreaterThan(200);
  });
});

it("latency counts from the intended time, also when we are late ourselves", async () => {
  const clock = new VirtualClock();
  // A processor that has time for us every 50 ms.
  const late = {
    now: () => clock.now(),
    until: (time: number) => clock.until(Math.ceil(time / 50) * 50),
  };
  const load: Load = { kind: "open", perSecond: 100, ms: 1_000 };
  const answer = async () => {};
  const { latencies, lateness } = await clock.during(applyLoad(load, answer, { clock: late }));
  expect(lateness.max).toBeCloseTo(40, 0);
  expect(latencies.quantile(0.5)).toBeCloseTo(20, 0);
});

it("clients of a closed loop share the requests", async () => {
  const clock = new VirtualClock();
  const seen: number[] = [];
  const request = async (n: number) => {
    seen.push(n);
    await clock.until(clock.now() + 10);
  };
  const { perSecond } = await clock.during(
    applyLoad({ kind: "closed", clients: 4, ms: 100 }, request, { clock }),
  );
  expect(seen.toSorted((one, other) => one - other)).toEqual([...Array(40).keys()]);
  expect(perSecond).toBeCloseTo(400, 0);
});

describe("what goes wrong", () => {
  const open: Load = { kind: "open", perSecond: 1_000, ms: 100 };
  const closed: Load = { kind: "closed", clients: 2, ms: 100 };
  const refuse = async (n: number) => {
    if (n % 10 === 3) throw new Error("no such key");
  };
  const never = () => new Promise(() => {});
  const failure = async (work: Promise<unknown>) =>
    (await work.catch((error) => error)) as MeasureError;

  it.each([open, closed])("a refusal ends it ($kind)", async (load) => {
    const error = await failure(applyLoad(load, refuse));
    expect(error.code).toBe("REQUEST_FAILED");
    expect(error.message).toMatchSnapshot();
  });

  it("refusals that may be are counted, without a latency", async () => {
    const { failed, latencies } = await applyLoad(open, refuse, { mayFail: true });
    expect([failed, latencies.count]).toEqual([10, 90]);
  });

  it("an engine that doesn't keep up", async () => {
    const error = await failure(applyLoad({ ...open, mostInFlight: 50 }, never));
    expect(error.code).toBe("LOAD_OVERRUN");
    expect(error.message).toMatchSnapshot();
  });

  it.each([open, closed])("an engine that never answers ($kind)", async (load) => {
    const error = await failure(applyLoad(load, never, { answerMs: 20 }));
    expect(error.code).toBe("LOAD_UNANSWERED");
    expect(error.message).toMatchSnapshot();
  });

  it.each([open, closed])("a signal ends it at once, and no more is sent ($kind)", async (load) => {
    const controller = new AbortController();
    let sent = 0;
    const work = applyLoad(
      { ...load, ms: 60_000 },
      async () => {
        if (++sent === 20) controller.abort(new Error("enough"));
        await new Promise(setImmediate);
      },
      { signal: controller.signal },
    );
    await expect(work).rejects.toThrow("enough");
    const then = sent;
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(sent - then).toBeLessThanOrEqual(2);
  });

  it("a load that is none", async () => {
    const error = await failure(applyLoad({ kind: "open", perSecond: 0, ms: 100 }, refuse));
    expect(error.message).toMatchSnapshot();
  });
});
