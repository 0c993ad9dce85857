import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { asTypedHere, packageManagerHere } from "../src/typed.ts";

const text =
  "What to do: pnpm install, then pnpm kata grade notes; pnpm exec node experiments/a.ts";

test.each([
  ["npm", "npm install, then npx kata grade notes; npx node"],
  ["pnpm", "pnpm install, then pnpm kata grade notes; pnpm exec node"],
] as const)("commands are named as one types them with %s", (pm, named) => {
  expect(asTypedHere(text, pm)).toContain(named);
});

test("the workspace says who that is, whoever runs us", async () => {
  const root = await mkdtemp(join(tmpdir(), "kata-typed-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const inside = join(root, "attempts", "notes");
  await mkdir(inside, { recursive: true });
  const [npm, pnpm] = ["npm/11.6.2 node/v24.21.0 linux x64", "pnpm/12.21.0 npm/? node/v24.21.0"];
  expect(packageManagerHere(inside, npm)).toBe("npm");
  expect(packageManagerHere(inside, pnpm)).toBe("pnpm");
  expect(packageManagerHere(inside, "")).toBe("pnpm");
  // One of the workspace's packages says nothing.
  await writeFile(join(inside, "package.json"), "{}");
  await writeFile(join(root, "package.json"), '{ "workspaces": ["attempts/*"] }');
  expect(packageManagerHere(inside, pnpm)).toBe("npm");
  await writeFile(join(root, "pnpm-workspace.yaml"), "");
  expect(packageManagerHere(inside, npm)).toBe("pnpm");
});
