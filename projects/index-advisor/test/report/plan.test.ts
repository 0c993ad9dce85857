import { expect, it } from "vitest";
import { compared } from "../../src/report/plan.ts";

const scan = (more: object) => ({
  "Node Type": "Seq Scan",
  "Relation Name": "t",
  Alias: "t",
  "Plan Rows": 5,
  ...more,
});

it("takes a node's time without what is below it, over all its loops", () => {
  const plan = {
    Plan: {
      "Node Type": "Nested Loop",
      "Join Type": "Left",
      "Plan Rows": 1,
      "Actual Rows": 10,
      "Actual Loops": 1,
      "Actual Total Time": 50,
      Plans: [
        scan({ "Actual Total Time": 10, "Actual Loops": 1 }),
        scan({ Alias: "u", "Actual Total Time": 3, "Actual Loops": 10 }),
      ],
    },
  };
  const [tree] = compared(plan, plan);
  expect(tree?.title).toBe("Nested Loop (left)");
  expect(tree?.ownMs).toBe(10);
  expect(tree?.children.map(({ title, ownMs }) => [title, ownMs])).toEqual([
    ["Seq Scan on t", 10],
    ["Seq Scan on t u", 30],
  ]);
  expect([tree, ...(tree?.children ?? [])].some((node) => node?.changed)).toBe(false);
});

it("marks as many nodes as there are more of", () => {
  const plan = (children: object[]) => ({
    Plan: { "Node Type": "Append", "Plan Rows": 1, Plans: children },
  });
  const [one, three] = compared(plan([scan({})]), plan([scan({}), scan({}), scan({})]));
  expect(one?.children.map(({ changed }) => changed)).toEqual([false]);
  expect(three?.children.map(({ changed }) => changed)).toEqual([false, true, true]);
});

it("has nothing to show for what is no plan", () => {
  expect(compared(undefined, [{ Plan: 1 }])).toEqual([undefined, undefined]);
});
