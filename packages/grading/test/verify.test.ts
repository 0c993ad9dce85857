import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { type EngineRun, openEngines } from "@db-katas/engines";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import {
  changedSubjects,
  findSubmission,
  formatFlake,
  formatMatrix,
  type Kata,
  type KillMatrix,
  killMatrix,
  killMatrixSchema,
  leftOut,
  loadKata,
  loadRubric,
  loadSubjects,
  type Meeting,
  meetings,
  namesInReadme,
  pickSubjects,
  type Rubric,
  randomFrom,
  type Subject,
  sampleMutants,
  seedFor,
  upperBound95,
  verify,
  withMatrix,
} from "../src/index.ts";
import { Turns } from "../src/run/turns.ts";
import { seedOfRepetition } from "../src/verify/verify.ts";

const COUNTER = join(import.meta.dirname, "fixtures", "counter");

let engines: EngineRun;
let kata: Kata;
let rubric: Rubric;
let subjects: Subject[];
beforeAll(async () => {
  engines = await openEngines();
  kata = await loadKata(COUNTER);
  rubric = await loadRubric(kata);
  subjects = await loadSubjects(kata, rubric);
});
afterAll(() => engines[Symbol.asyncDispose]());

describe("a full verification", () => {
  let matrix: KillMatrix;
  beforeAll(async () => {
    const { graded, results } = await verify({
      kata,
      rubric,
      engines,
      seed: 7,
      full: true,
      repeat: 2,
      choose: (all) => all.filter(({ name }) => name !== "blameless"),
    });
    expect(results.flatMap(({ problems }) => problems)).toEqual([]);
    const startedAt = new Date("2026-01-02T03:04:05Z");
    matrix = killMatrix({ kata, rubric, graded, seed: 7, repeat: 2, startedAt });
    expect(killMatrixSchema.parse(JSON.parse(JSON.stringify(matrix)))).toEqual(matrix);
  });

  it("prints each check against each subject, and what each check alone kills", () => {
    expect(`${formatMatrix(matrix)}\n\n${formatFlake(matrix)}`).toMatchInlineSnapshot(`
      "             1  2
      right answers
        reference  ·  ·
        other      ·  ·
      starter
        starter    ●  –
      mutants
        forgets    ●  –
        stuck      ●  ●

      ● fails, as it must   ○ fails, as it may   ◐ fails now and then, as it may   · passes
      ✗ came out other than it has to   – not run: a check that it depends on did not pass   ? not graded

        #  check            kills  killed by no other check
        1  adds                 2  forgets
        2  starts-anywhere      1  none

      flake: 0 of 16 check-runs (each 2 times) came out other than they have to; with 95 % confidence at most 17 % do"
    `);
  });

  it("gives each repetition a seed of its own, the first one that of the run", async () => {
    const { graded } = await verify({
      kata,
      rubric,
      engines,
      seed: 7,
      repeat: 3,
      checks: ["adds"],
      choose: (all) => pickSubjects(all, ["reference"]),
    });
    const seeds = graded.flatMap(({ scorecards }) => scorecards.map(({ seed }) => seed));
    expect(seeds[0]).toBe(7);
    expect(new Set(seeds).size).toBe(3);
    expect(graded[0]?.scorecards.map(({ checks }) => checks.map(({ id }) => id))).toEqual(
      Array(3).fill(["adds"]),
    );
  });

  it("stands in a README between two markers, and is found there again", () => {
    const marks = "<!-- kill-matrix:begin -->\nold\n<!-- kill-matrix:end -->";
    const readme = withMatrix(`# Counter\n\n${marks}\n\nAfter.\n`, {
      ...matrix,
      node: "v24.0.0",
    });
    expect(readme).toMatchInlineSnapshot(`
      "# Counter

      <!-- kill-matrix:begin -->

      \`\`\`text
                   1  2
      right answers
        reference  ·  ·
        other      ·  ·
      starter
        starter    ●  –
      mutants
        forgets    ●  –
        stuck      ●  ●

      ● fails, as it must   ○ fails, as it may   ◐ fails now and then, as it may   · passes
      ✗ came out other than it has to   – not run: a check that it depends on did not pass   ? not graded

        #  check            kills  killed by no other check
        1  adds                 2  forgets
        2  starts-anywhere      1  none
      \`\`\`

      Made on 2026-01-02 by
      \`pnpm kata verify counter --full --write --repeat 2 --seed 7\` with Node 24.0.0.
      Flake: 0 of 16 check-runs (each 2 times) came out other than they have to; with 95 % confidence at most 17 % do.

      <!-- kill-matrix:end -->

      After.
      "
    `);
    expect(withMatrix(readme, { ...matrix, node: "v24.0.0" })).toBe(readme);
    expect(namesInReadme(readme)).toEqual({
      checks: ["adds", "starts-anywhere"],
      mutants: ["forgets", "stuck"],
    });
    expect(() => withMatrix("# Counter\n", matrix)).toThrowErrorMatchingInlineSnapshot(`
      [GradingError: The README has no place for the kill matrix.
      Likely cause: it lacks the lines <!-- kill-matrix:begin --> and <!-- kill-matrix:end -->
      What to do: put both lines where the matrix shall stand, and run the command again]
    `);
  });
});

describe("a drawn verification", () => {
  it("grades one mutant for each check, type-checks all, and names who was not drawn", async () => {
    const { results, notDrawn, graded } = await verify({
      kata,
      rubric,
      engines,
      seed: 7,
      mutantsPerCheck: 1,
      choose: (all) => all.filter(({ name }) => name !== "blameless"),
    });
    expect(results.flatMap(({ problems }) => problems)).toEqual([]);
    expect(results.map(({ subject }) => subject)).toContain("types");
    const met = graded.flatMap(({ subject, scorecards }) =>
      subject.mutant ? scorecards.flatMap(({ checks }) => checks.map(({ id }) => id)) : [],
    );
    expect(met.sort()).toEqual(["adds", "starts-anywhere"]);
    const labels = graded.map(({ subject }) => subject.label);
    for (const label of ["mutant forgets", "mutant stuck"]) {
      expect(labels.includes(label)).toBe(!notDrawn.includes(label));
    }
  });
});

describe("what comes out other than it has to", () => {
  it("is tried again when a mutant got past a check, and what catches it then counts", async () => {
    const folder = await mkdtemp(join(tmpdir(), "kata-even-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const code = `export default {
      createNode: async ({ start }) => ({ add: async (by) => (start % 2 ? 0 : start) + by }),
    };`;
    await writeFile(join(folder, "index.ts"), code);
    const [stuck] = pickSubjects(subjects, ["stuck"]) as [Subject];
    const must = ["starts-anywhere"];
    const mutant = { ...stuck.mutant, must } as NonNullable<Subject["mutant"]>;
    const subject = { ...stuck, mutant, open: () => findSubmission(folder, "wrong when odd") };
    const isOdd = (seed: number, repetition: number) => {
      const own = seedFor(seedOfRepetition(seed, repetition), "starts-anywhere");
      return randomFrom(own).int(10, 99) % 2 === 1;
    };
    const seed = Array.from({ length: 100 }, (_, i) => i).find((i) => !isOdd(i, 0) && isOdd(i, 1));
    const options = { kata, rubric, engines, types: false, choose: () => [subject] };
    const { results } = await verify({ ...options, seed: seed as number });
    expect(results.at(-1)).toMatchObject({ holds: true, tries: 2, problems: [] });
    const repeated = await verify({ ...options, seed: seed as number, repeat: 2 });
    expect(repeated.results.at(-1)).toMatchObject({
      holds: false,
      problems: ["starts-anywhere passed, though it must fail"],
    });
  });

  it("is a problem, a mark in the matrix, and flake", async () => {
    const { graded, results } = await verify({
      kata,
      rubric,
      engines,
      seed: 7,
      full: true,
      choose: (all) => pickSubjects(all, ["blameless"]),
    });
    expect(results.at(-1)?.problems).toEqual(["adds passed, though it must fail"]);
    const matrix = killMatrix({ kata, rubric, graded, seed: 7, repeat: 1, startedAt: new Date() });
    expect(`${formatMatrix(matrix)}\n\n${formatFlake(matrix)}`).toMatchInlineSnapshot(`
      "             1  2
      mutants
        blameless  ✗  ·

      ● fails, as it must   ○ fails, as it may   ◐ fails now and then, as it may   · passes
      ✗ came out other than it has to   – not run: a check that it depends on did not pass   ? not graded

        #  check            kills  killed by no other check
        1  adds                 0  none
        2  starts-anywhere      0  none

      flake: 1 of 2 check-runs (each once) came out other than they have to; with 95 % confidence at most 97 % do
        blameless × adds: 1 passed"
    `);
  });
});

describe("who meets which checks", () => {
  const manyChecks = (): Rubric => {
    const [first] = rubric as [Rubric[number], ...Rubric];
    return Array.from({ length: 22 }, (_, i) => ({ ...first, id: `check-${i}`, dependsOn: [] }));
  };
  const fourVariants = () => {
    const [variant] = subjects.filter(({ kind }) => kind === "variant") as [Subject];
    return ["a", "b", "c", "d"].map((name) => ({ ...variant, name }));
  };
  const metBy = (seed: number) =>
    meetings(fourVariants(), { rubric: manyChecks(), seed, variantsPerCheck: 2 });

  it("deals each check to so many variants, evenly, and each pair at some seed", () => {
    const pairs = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      const met = metBy(seed);
      expect(met.map(({ checks }) => checks.length)).toEqual([11, 11, 11, 11]);
      const ids = met.flatMap(({ checks }) => checks.map(({ id }) => id));
      for (const { id } of manyChecks()) expect(ids.filter((each) => each === id)).toHaveLength(2);
      for (const { subject, checks } of met) {
        for (const { id } of checks) pairs.add(`${subject.name} ${id}`);
      }
    }
    expect(pairs.size).toBe(4 * 22);
    expect(metBy(3)).toEqual(metBy(3));
    expect(metBy(3)[0]?.subject.expectation).toBe("passes 11 of 22 checks, drawn by the seed");
  });

  const threeMutants = () => {
    const [mutant] = subjects.filter(({ kind }) => kind === "mutant") as [Subject];
    const of = (name: string, ...must: string[]): Subject => ({
      ...mutant,
      name,
      label: `mutant ${name}`,
      expectation: `fails ${must.join(", ")}`,
      mutant: { ...mutant.mutant, must } as NonNullable<Subject["mutant"]>,
    });
    return [
      of("a", "check-0", "check-1"),
      of("b", "check-0"),
      of("c", ...manyChecks().map(({ id }) => id)),
    ];
  };
  const drawnBy = (seed: number) =>
    meetings(threeMutants(), { rubric: manyChecks(), seed, mutantsPerCheck: 1 });

  it("draws each check a mutant that must fail it, and each of these pairs at some seed", () => {
    const pairs = new Set<string>();
    for (let seed = 0; seed < 30; seed++) {
      const drawn = drawnBy(seed);
      const met = drawn.flatMap(({ subject, checks }) =>
        checks.map(({ id }) => [subject.name, id]),
      );
      expect(met.map(([, id]) => id).sort()).toEqual(
        manyChecks()
          .map(({ id }) => id)
          .sort(),
      );
      for (const [name, id] of met) pairs.add(`${name} ${id}`);
      const drawnNames = drawn.map(({ subject }) => `mutant ${subject.name}`);
      const all = threeMutants().map(({ label }) => label);
      expect(leftOut(threeMutants(), drawn)).toEqual(all.filter((l) => !drawnNames.includes(l)));
    }
    expect(pairs.size).toBe(2 + 1 + 22);
    expect(drawnBy(3)).toEqual(drawnBy(3));
  });

  it("says what a mutant meets of what it must fail, where that is not all", () => {
    const told = new Set(
      Array.from({ length: 30 }, (_, seed) => drawnBy(seed)).flatMap((drawn) =>
        drawn.flatMap(({ subject }) => (subject.name === "a" ? subject.expectation : [])),
      ),
    );
    expect([...told].sort()).toEqual([
      "fails check-0, check-1",
      "fails check-0, drawn by the seed",
      "fails check-1, drawn by the seed",
    ]);
  });

  it("draws no mutants for who asks for everything", () => {
    const options = { rubric: manyChecks(), seed: 1, mutantsPerCheck: 1, full: true };
    for (const { checks } of meetings(threeMutants(), options)) expect(checks).toHaveLength(22);
  });

  it("lets no check wait for one that is not met", () => {
    const [{ checks }] = meetings(subjects, { rubric, seed: 1, checks: ["starts-anywhere"] }) as [
      Meeting,
      ...Meeting[],
    ];
    expect(rubric.find(({ id }) => id === "starts-anywhere")?.dependsOn).toEqual(["adds"]);
    expect(checks.map(({ id, dependsOn }) => [id, dependsOn])).toEqual([["starts-anywhere", []]]);
  });

  it("leaves nobody out where there are no more variants than that, or nobody says how many", () => {
    const two = meetings(fourVariants().slice(0, 2), { rubric, seed: 1, variantsPerCheck: 2 });
    const all = meetings(subjects, { rubric, seed: 1 });
    for (const { subject, checks } of [...two, ...all]) {
      if (subject.mutant) continue;
      expect(checks).toHaveLength(rubric.length);
    }
  });
});

describe("choosing whom to verify", () => {
  const changedAmong = async (among: readonly Subject[], ...files: string[]) => {
    const concerned = await changedSubjects({ ...kata, folder: "/repo/projects/counter" }, among, {
      root: "/repo",
      files,
    });
    return concerned.map(({ name }) => name);
  };
  const changed = (...files: string[]) => changedAmong(subjects, ...files);

  it("follows what changed", async () => {
    const everybody = subjects.map(({ name }) => name);
    expect(await changed()).toEqual([]);
    expect(await changed("projects/counter/README.md", "projects/counter/test/a.test.ts")).toEqual(
      [],
    );
    expect(await changed("projects/other/kata.ts", "docs/glossary.md", "README.md")).toEqual([]);
    expect(await changed("projects/counter/mutants/forgets/index.ts")).toEqual(["forgets"]);
    expect(await changed("projects/counter/variants/other/index.ts")).toEqual(["other"]);
    expect(await changed("projects/counter/starter/index.ts")).toEqual(["starter"]);
    expect(await changed("projects/counter/src/index.ts")).toEqual([
      "reference",
      "blameless",
      "forgets",
      "stuck",
    ]);
    for (const file of ["projects/counter/grading/1-adds.grade.ts", "projects/counter/kata.ts"]) {
      expect(await changed(file)).toEqual(everybody);
    }
    expect(await changed("packages/grading/src/context.ts")).toEqual(everybody);
    expect(await changed("pnpm-lock.yaml")).toEqual(everybody);
  });

  it("sees that a variant takes files of the reference's", async () => {
    const folder = await mkdtemp(join(tmpdir(), "kata-borrower-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const [variant] = pickSubjects(subjects, ["other"]) as [Subject];
    const [reference] = subjects as [Subject];
    const open = () => findSubmission(folder, "variant borrower");
    const among = [reference, { ...variant, open }];
    const takes = async (path: string) => {
      const index = join(folder, "index.ts");
      await writeFile(index, `const url = new URL("${path}", import.meta.url);\n`);
      return changedAmong(among, "projects/counter/src/schema.sql");
    };
    const src = "/repo/projects/counter/src";
    expect(await takes(relative(folder, join(src, "schema.sql")))).toEqual(["reference", "other"]);
    expect(await takes(relative(folder, `${src}-of-old/schema.sql`))).toEqual(["reference"]);
    expect(await takes("./schema.sql")).toEqual(["reference"]);
  });

  it("draws a sample of the other mutants by the seed", () => {
    const chosen = pickSubjects(subjects, ["forgets"]);
    const drawn = sampleMutants(subjects, chosen, 1, 3);
    expect(drawn).toEqual(sampleMutants(subjects, chosen, 1, 3));
    expect(
      sampleMutants(subjects, chosen, 9, 3)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(["blameless", "stuck"]);
  });

  it("says whom there is when there is no such subject", () => {
    expect(() => pickSubjects(subjects, ["nope"])).toThrowErrorMatchingInlineSnapshot(`
      [GradingError: There is nothing called nope to verify.
      Likely cause: there are reference, starter, other, blameless, forgets, stuck; variants and mutants mean all of them]
    `);
  });

  it("takes all mutants, or all variants, by one word", () => {
    const names = (words: string[]) => pickSubjects(subjects, words).map(({ name }) => name);
    expect(names(["mutants"])).toEqual(["blameless", "forgets", "stuck"]);
    expect(names(["variants", "reference"])).toEqual(["reference", "other"]);
  });
});

describe("the bound on flake", () => {
  // Beta quantiles, e.g. R: qbeta(0.95, hits + 1, runs - hits)
  it.each([
    [0, 0, 1],
    [0, 100, 0.029513],
    [0, 1_900, 0.0015755],
    [1, 100, 0.046559],
    [3, 50, 0.14784],
    [5, 5, 1],
  ])("%i of %i", (hits, runs, bound) => {
    expect(upperBound95(hits, runs)).toBeCloseTo(bound, 4);
  });
});

describe("turns", () => {
  it("who measures time is alone, after all who share", async () => {
    using turns = new Turns({ concurrency: 2 });
    const log: string[] = [];
    let running = 0;
    const work = (name: string, alone: boolean) =>
      turns.at(0)(alone, async () => {
        running++;
        for (let i = 0; i < 5; i++) {
          await new Promise(setImmediate);
          if (alone) expect(running).toBe(1);
        }
        log.push(name);
        running--;
      });
    const all = [work("a", false), work("timing 1", true), work("b", false), work("c", false)];
    await Promise.all([...all, work("timing 2", true), work("d", false)]);
    expect(log.slice(-2)).toEqual(["timing 1", "timing 2"]);
  });

  it("two who measure time may meet, and nobody else meets them", async () => {
    using turns = new Turns({ concurrency: 3, timing: 2 });
    const [timing, sharing] = [new Set<number>(), new Set<number>()];
    let most = 0;
    const work = (group: Set<number>, name: number) =>
      turns.at(0)(group === timing, async () => {
        group.add(name);
        for (let i = 0; i < 5; i++) {
          await new Promise(setImmediate);
          expect(Math.min(timing.size, sharing.size)).toBe(0);
          most = Math.max(most, timing.size);
        }
        group.delete(name);
      });
    const names = [1, 2, 3, 4, 5, 6];
    await Promise.all(names.flatMap((name) => [work(timing, name), work(sharing, name)]));
    expect(most).toBe(2);
  });

  it("who has the lower order goes first", async () => {
    using turns = new Turns({ concurrency: 1 });
    const log: number[] = [];
    await Promise.all(
      [0, 3, 1, 2].map((order) =>
        turns.at(order)(false, async () => {
          log.push(order);
        }),
      ),
    );
    expect(log).toEqual([0, 1, 2, 3]);
  });

  it("more share a machine with idle cores, and fewer a busy one", () => {
    using turns = new Turns({ concurrency: 2, most: 4 });
    const after = (...idle: number[]) => {
      for (const share of idle) turns.adjust(share);
      return turns.concurrency;
    };
    expect(after(0.5)).toBe(3);
    expect(after(0.1)).toBe(3);
    expect(after(0.5, 0.5, 0.5)).toBe(4);
    expect(after(0)).toBe(3);
    expect(after(0, 0, 0)).toBe(2);
  });

  it("cores that are idle while somebody measures time are nobody's to take", async () => {
    using turns = new Turns({ concurrency: 1, most: 2 });
    await turns.at(0)(true, async () => turns.adjust(1));
    expect(turns.concurrency).toBe(1);
  });

  it("the end of somebody alone lets the others go on, also when it failed", async () => {
    using turns = new Turns({ concurrency: 1 });
    await expect(
      turns.at(0)(true, async () => {
        throw new Error("no");
      }),
    ).rejects.toThrow("no");
    expect(await turns.at(0)(false, async () => 1)).toBe(1);
  });
});
