import { describe, expect, test } from "vitest";
import { Answers } from "../src/whatif/answers.ts";

const set = (...keys: readonly string[]) => new Set(keys);

describe("what follows from what the planner has said", () => {
  test("a plan that was the best of more is the best of fewer, if it lacks nothing", () => {
    const answers = new Answers();
    const best = { cost: 10, seen: set("a", "b", "c"), used: set("a") };
    answers.add(best);
    expect(answers.about(set("a", "c"))).toBe(best);
    expect(answers.about(set("b", "c"))).toBeUndefined();
  });

  test("where the dearest and the cheapest that it can be meet, nothing is to be asked", () => {
    const answers = new Answers();
    answers.add({ cost: 10, seen: set("a", "b", "c"), used: set("b") });
    const other = { cost: 10.005, seen: set("a"), used: set("a") };
    answers.add(other);
    expect(answers.about(set("a", "c"))).toBe(other);
  });

  test("a set that could still be cheaper than what is known has to be asked about", () => {
    const answers = new Answers();
    answers.add({ cost: 10, seen: set("a", "b", "c"), used: set("b") });
    answers.add({ cost: 20, seen: set("a"), used: set("a") });
    expect(answers.about(set("a", "c"))).toBeUndefined();
  });

  test("a set with something new in it has to be asked about", () => {
    const answers = new Answers();
    answers.add({ cost: 10, seen: set("a"), used: set("a") });
    expect(answers.about(set("a", "new"))).toBeUndefined();
  });
});
