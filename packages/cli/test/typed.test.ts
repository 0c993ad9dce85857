import { expect, test } from "vitest";
import { asTypedHere } from "../src/typed.ts";

const text =
  "What to do: pnpm install, then pnpm kata grade notes; pnpm exec node experiments/a.ts";

test.each([
  ["npm/11.6.2 node/v24.21.0 linux x64 workspaces/false", "npx kata grade notes; npx node"],
  ["pnpm/12.21.0 npm/? node/v24.21.0 linux x64", "pnpm kata grade notes; pnpm exec node"],
  ["", "pnpm kata grade notes; pnpm exec node"],
])("commands are named as whoever was run by %s types them", (agent, named) => {
  expect(asTypedHere(text, agent)).toContain(named);
});
