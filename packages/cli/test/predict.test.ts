import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scorecardSchema } from "@db-katas/grading";
import { afterAll, beforeAll, expect, it } from "vitest";
import { inTerminal } from "../../create-db-kata/test/terminal.ts";
import { MAIN, runKata } from "./run-kata.ts";

/** An exercise without engines: two checks, a claim that is folklore and one that isn't. */
const KATA = `export default {
  title: "Counter", summary: "counts", concepts: ["counting"], engines: {},
  limits: { memoryMb: 64, callMs: 1_000, checkMs: 10_000 },
};
`;

const check = (title: string, ask: string) => `export default {
  title: "${title}", points: 1, concept: "counting", engines: {}, nodes: ["a"], hints: ["Count."],
  async run(t) {
    const node = await t.start("a", { start: 5 });
    ${ask}
  },
};
`;

const EXPERIMENT = `export default {
  title: "What it costs to count.",
  parameters: { size: { what: "things to count", full: 100, quick: 10 } },
  engines: {},
  contenders: { once: { what: "counts once" }, twice: { what: "counts twice" } },
  metrics: { cost: { what: "what it takes", kind: "value", unit: "B" } },
  turns: 6,
  warmUpTurns: 0,
  async open({ parameters }) {
    return {
      async measure(contender, turn) {
        turn.record("cost", (contender === "twice" ? 2 : 1) * parameters.size);
      },
      async [Symbol.asyncDispose]() {},
    };
  },
};
`;

const LOG = `# Decision log

\`\`\`claim
id: twice-costs-more
experiment: counted
predicate: cost(twice) > 1.5 * cost(once)
\`\`\`

\`\`\`claim
id: costs-little
experiment: counted
predicate: cost(twice) <= 0.1 kB
expected: falsified
\`\`\`
`;

const answer = (add: string) => `export default {
  async createNode({ start }) {
    let value = start;
    return { add: async (amount) => { ${add} } };
  },
};
`;

const UNWRITTEN = answer('throw new Error("task 1: add");');
const WRONG = answer("value = 7; return value;");
const RIGHT = answer("return (value += amount);");

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "kata-predict-"));
  await put("pnpm-workspace.yaml", 'packages: ["projects/*"]\n');
  await put("projects/counter/kata.ts", KATA);
  await put("projects/counter/package.json", '{ "name": "counter", "type": "module" }\n');
  const adds = check(
    "adding adds",
    't.equal(await node.add(2), 7, "5 and 2 make 7");\n    t.equal(await node.add(1), 8, "and 1 more makes 8");',
  );
  await put("projects/counter/grading/1-adds.grade.ts", adds);
  const starts = check(
    "it starts where it is told",
    't.equal(await node.add(2), 7, "it is where it should be");',
  );
  await put("projects/counter/grading/2-starts.grade.ts", starts);
  await put("projects/counter/experiments/counted.experiment.ts", EXPERIMENT);
  await put("projects/counter/DATABASE_DECISION_LOG.md", LOG);
  await put("projects/untried/kata.ts", KATA);
  await put("elsewhere/index.ts", UNWRITTEN);
  await put("attempts/counter/package.json", '{ "kata": "counter", "type": "module" }\n');
  await put("attempts/counter/src/index.ts", UNWRITTEN);
});
afterAll(() => rm(root, { recursive: true }));

async function put(file: string, text: string): Promise<void> {
  await mkdir(join(root, file, ".."), { recursive: true });
  await writeFile(join(root, file), text);
}

const kata = (...args: string[]) => runKata(args, { cwd: root, masked });

function masked(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\d( \d\d:\d\d UTC)?/g, "<date>")
    .replaceAll(/ *\d+\.\d s\b/g, " <t> s")
    .replaceAll(/ *\d+ ms\b/g, " <t> ms")
    .replaceAll(/\d+ cores, load [\d.]+/g, "<n> cores, load <load>")
    .replaceAll(/^.*, \d+ cores \(.*, Node v.*$/gm, "<machine>");
}

function kept(file: string): Promise<string> {
  return readFile(join(root, "attempts", "counter", file), "utf8");
}

it.each([
  ["no attempt yet", ["predict", "untried"]],
  ["what is no attempt", ["predict", "./elsewhere", "--kata", "counter", "--check", "adds=80"]],
  ["nothing said, without a terminal", ["predict", "counter"]],
  ["an unknown check", ["predict", "counter", "--check", "nope=80"]],
  ["more than certainty", ["predict", "counter", "--check", "adds=150"]],
  ["a retro before anything was measured", ["retro", "counter"]],
])("refuses %s, and keeps nothing", async (_, args) => {
  const ran = await kata(...args);
  expect(ran.stderr).toMatchSnapshot();
  expect(ran.code).toBe(2);
  await expect(kept(".kata/predictions.jsonl")).rejects.toThrow("ENOENT");
});

it("asks in a terminal, one question after the other, and keeps each answer", async () => {
  await put("attempts/again/package.json", '{ "kata": "counter", "type": "module" }\n');
  await put("attempts/again/src/index.ts", UNWRITTEN);
  const asked = await inTerminal(
    root,
    [MAIN, "predict", "attempts/again"],
    [
      ["adding adds", "many\r"],
      ["whole number", "\x7f\x7f\x7f\x7f80\r"],
      ["where it is told", "\r"],
      ["1.5 *", "\x03"],
    ],
  );
  expect(asked.code).toBe(130);
  const lines = await readFile(join(root, "attempts/again/.kata/predictions.jsonl"), "utf8");
  expect(
    lines
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toMatchObject([{ about: "check", id: "adds", probability: 0.8 }]);
});

// A dozen commands, one after the other: each builds on those before.
const PATIENCE_MS = 300_000;

it(
  "shows what was predicted beside what was measured, and writes down what was wrong",
  async () => {
    const said = await kata(
      ...["predict", "counter", "--check", "adds=90", "starts=20%"],
      ...["--claim", "costs-little=held:60", "--figure", "costs-little=0.15..0.3"],
    );
    expect(said.stdout).toMatchSnapshot("kept");

    // The starter tells nothing about an answer.
    const starter = await kata("grade", "counter");
    expect(starter.stdout).not.toContain("predicted");
    await put("attempts/counter/src/index.ts", WRONG);
    const inOrder = ["--seed", "7", "--concurrency", "1"];
    const graded = await kata("grade", "counter", ...inOrder, "--report", "json=grade.json");
    expect(graded.stdout).toMatchSnapshot("a grade");
    const report = JSON.parse(await readFile(join(root, "grade.json"), "utf8"));
    const scorecard = scorecardSchema.parse(report.scorecard);
    expect(
      scorecard.checks.map(({ id, prediction }) => [
        id,
        prediction?.probability,
        prediction?.first?.passed,
      ]),
    ).toEqual([
      ["adds", 0.9, false],
      ["starts", 0.2, true],
    ]);
    const late = await kata("predict", "counter", "--check", "adds=1");
    expect(late.stdout).toMatchSnapshot("too late");

    const falsified = await kata("falsify", "counter", "--seed", "7");
    expect(falsified.stdout).toMatchSnapshot("claims");
    expect(falsified.code).toBe(0);
    expect((await kata("predict", "counter", "--list")).stdout).toMatchSnapshot("what came of it");

    const score = await kata("predict", "--score", "--html", "predictions.html");
    expect(score.stdout).toMatchSnapshot("score");
    const page = await readFile(join(root, "predictions.html"), "utf8");
    expect(page.match(/<svg /g)).toHaveLength(2);
    expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);

    expect((await kata("retro", "counter")).stdout).toMatchSnapshot("a retro");
    const written = await kept("WHAT-I-GOT-WRONG.md");
    expect(masked(written)).toMatchSnapshot("WHAT-I-GOT-WRONG.md");
    const mine = written.replace(
      "**What I believed, and why:**\n",
      "**What I believed, and why:** it is 7.\n",
    );
    await put("attempts/counter/WHAT-I-GOT-WRONG.md", `${mine}\nAnd a word of my own.\n`);

    await put("attempts/counter/src/index.ts", RIGHT);
    const right = await kata("grade", "counter", "--report", "html=grade.html");
    expect(right.stdout).not.toContain("predicted");
    const drawn = await readFile(join(root, "grade.html"), "utf8");
    expect(drawn).toContain("predicted to pass at first: 90 %; it did not");
    expect((await kata("retro", "counter")).stdout).toMatchSnapshot("a retro again");
    const again = await kept("WHAT-I-GOT-WRONG.md");
    expect(again).toContain("It first passed at grade 2");
    expect(again).toContain("**What I believed, and why:** it is 7.\n");
    expect(again).toContain("\nAnd a word of my own.\n");
  },
  PATIENCE_MS,
);
