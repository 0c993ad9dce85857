/** Which new exercises prove the templates: few, and yet every pair of choices is among them. */
import { SHAPES, type Shape } from "@db-katas/generators";
import { randomFrom, seedFor } from "@db-katas/grading";
import { make, sorters } from "covertable";
import type { PackageManager } from "../src/workspace.ts";

/** A new exercise as somebody may choose it. */
export interface Choice {
  readonly name: string;
  readonly pm: PackageManager;
  readonly shape: Shape;
  readonly engines: readonly string[];
}

const shapes = Object.keys(SHAPES) as Shape[];
const pms: readonly PackageManager[] = ["pnpm", "npm"];
/** How many engines an exercise has: by itself, with another one, with several. */
const sizes = [1, 2, 3];

/**
 * Every pair of engine, shape, package manager and number of engines, at least once. That two engines
 * are in one exercise is no pair in this sense: they share files of its, and nothing that runs.
 */
export function coveringSet(engines: readonly string[]): Choice[] {
  // Sorted by hash and seed, it is the same in every run.
  const rows = make(
    { engine: [...engines], shape: [...shapes], pm: [...pms], size: [...sizes] },
    { sorter: sorters.hash, seed: "db-katas" },
  ) as { engine: string; shape: Shape; pm: PackageManager; size: number }[];
  // Rows that differ in the engine alone make one exercise together, of as many as they say.
  const alike = Map.groupBy(rows, ({ shape, pm, size }) => `${shape}-${pm}-${size}`);
  return [...alike].flatMap(([name, group]) => {
    const [{ shape, pm, size }] = group as [(typeof rows)[number]];
    return partsOf(
      group.map(({ engine }) => engine),
      size,
    ).map((part, i) => ({
      name: `${name}-${i + 1}`,
      pm,
      shape,
      engines: filled(part, size, engines),
    }));
  });
}

/**
 * Every shape and every package manager once: what a gate has the time for. Which engines they are
 * for is drawn by the seed.
 * @param changed engines that have to be among them
 */
export function sampleSet(
  engines: readonly string[],
  seed: number,
  changed: readonly string[] = [],
): Choice[] {
  const random = randomFrom(seedFor(seed, "covering"));
  const drawn = random.shuffle(engines.filter((engine) => !changed.includes(engine)));
  const dealt = [...engines.filter((engine) => changed.includes(engine)), ...drawn];
  const count = Math.max(shapes.length, changed.length);
  return random.shuffle(shapes).map((shape, i) => ({
    name: `sample-${shape}`,
    // npm is the slower one.
    pm: i === 0 ? "npm" : "pnpm",
    shape,
    engines: dealt.slice(0, count).filter((_, at) => at % shapes.length === i),
  }));
}

function partsOf<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) =>
    list.slice(i * size, (i + 1) * size),
  );
}

/** What is missing to `size` is taken from those that come next in the list of all. */
function filled(part: readonly string[], size: number, all: readonly string[]): readonly string[] {
  const start = all.indexOf(part.at(-1) ?? "");
  const next = [...all.slice(start + 1), ...all.slice(0, start)];
  return [...part, ...next.filter((each) => !part.includes(each))].slice(0, size);
}
