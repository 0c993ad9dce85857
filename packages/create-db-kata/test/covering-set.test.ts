import { readdir } from "node:fs/promises";
import { join, sep } from "node:path";
import { availableEngines, defaultTemplates, SHAPES } from "@db-katas/generators";
import { expect, it } from "vitest";
import { type Choice, coveringSet, sampleSet } from "./covering.ts";

const engines = (await availableEngines(defaultTemplates)).map(({ name }) => name);
const shapes = Object.keys(SHAPES);
const pms = ["pnpm", "npm"];
const sizes = [1, 2, 3];

/** What of an exercise goes with what else of it. */
function pairsOf({ pm, shape, engines: chosen }: Choice): string[] {
  const size = chosen.length;
  const each = chosen.flatMap((engine) => [
    `${engine} ${shape}`,
    `${engine} ${pm}`,
    `${engine} ${size}`,
  ]);
  return [...each, `${shape} ${pm}`, `${shape} ${size}`, `${pm} ${size}`];
}

const product = (one: readonly unknown[], other: readonly unknown[]) =>
  one.flatMap((a) => other.map((b) => `${a} ${b}`));

it("holds every pair of choices", () => {
  const covered = new Set(coveringSet(engines).flatMap(pairsOf));
  const wanted = [
    ...[shapes, pms, sizes].flatMap((other) => product(engines, other)),
    ...product(shapes, [...pms, ...sizes]),
    ...product(pms, sizes),
  ];
  expect(wanted.filter((pair) => !covered.has(pair))).toEqual([]);
});

it("is the same in every run, and small", () => {
  const set = coveringSet(engines);
  expect(set).toEqual(coveringSet(engines));
  expect(new Set(set.map(({ name }) => name)).size).toBe(set.length);
  const grades = set.flatMap((choice) => choice.engines).length;
  // Each engine meets each shape, and that is as few as it can be.
  expect(grades).toBeLessThan(1.5 * engines.length * shapes.length);
});

it("has a sample with every shape and package manager in it, and whatever engines the seed draws", () => {
  const drawn = new Set<string>();
  for (let seed = 1; seed <= 50; seed++) {
    const sample = sampleSet(engines, seed);
    expect(sample).toEqual(sampleSet(engines, seed));
    expect(sample.map(({ shape }) => shape).sort()).toEqual([...shapes].sort());
    expect(new Set(sample.map(({ pm }) => pm))).toEqual(new Set(pms));
    expect(sample.map((choice) => choice.engines.length)).toEqual([1, 1, 1]);
    for (const engine of sample.flatMap((choice) => choice.engines)) drawn.add(engine);
  }
  expect([...drawn].sort()).toEqual([...engines].sort());
});

it("has a sample with all engines whose templates have changed", () => {
  const changed = engines.slice(0, 5);
  const sampled = sampleSet(engines, 1, changed).flatMap((choice) => choice.engines);
  expect(sampled.sort()).toEqual([...changed].sort());
  const two = sampleSet(engines, 1, changed.slice(0, 2)).flatMap((choice) => choice.engines);
  expect(two).toHaveLength(3);
  expect(two).toEqual(expect.arrayContaining(changed.slice(0, 2)));
});

/** What is made and proven can't drift. A template that no choice leads to would be proven by nobody. */
it("leaves no template out", async () => {
  const owners: Readonly<Record<string, readonly string[]>> = { engines, shapes };
  const unproven: string[] = [];
  for (const [kind, chosen] of Object.entries(owners)) {
    const folder = join(defaultTemplates, kind);
    for (const path of await readdir(folder, { recursive: true })) {
      const [owner = ""] = path.split(sep);
      if (path.endsWith(".hbs") && !chosen.includes(owner)) unproven.push(`${kind}/${path}`);
    }
  }
  expect(unproven).toEqual([]);
  // The others are for whatever is chosen; one that plop doesn't render is none.
  const others = ["frame", "empty", "exercise", "servers", "each-engine", "each-server"];
  const files = await Promise.all(
    others.map((kind) => readdir(join(defaultTemplates, kind), { recursive: true })),
  );
  expect(files.flat().filter((path) => /\.\w+$/.test(path) && !path.endsWith(".hbs"))).toEqual([]);
});
