import type { Replica } from "../contract.ts";
import { add, check, idsOf, meet, move, startReplicas } from "./kit.ts";

const RUN = 6;
/** Times that something is put to the same place; a key of its own that grows has grown by then. */
const TIMES = 600;
const SAMPLE = 30;

export default check({
  title:
    "who puts shapes one above the other finds them so, however many do that at the same place",
  points: 3,
  concept: "sequences",
  traps: ["keys-collide", "keys-grow"],
  engines: {},
  nodes: ["ada", "bob", "cleo"],
  dependsOn: ["alone"],
  hints: [
    "Two people compute a key between the same two neighbours. What lies between their two keys?",
    "A sequence CRDT gives the order: RGA, Fugue, YATA. A number between two numbers doesn't.",
    "Lists of CRDT libraries keep runs together. What is put into one may be no more than a name of a place.",
  ],
  async run(t) {
    const replicas = (await startReplicas(t, ["ada", "bob", "cleo"])) as [
      Replica,
      Replica,
      Replica,
    ];
    const names = ["ada", "bob", "cleo"];
    const document = t.random.word();
    const ready = names.map((name) => `${name}-moved`);
    await replicas[0].edit(document, [
      add(t, "low"),
      add(t, "high", { above: "low" }),
      ...ready.flatMap((run) =>
        Array.from({ length: RUN }, (_, i) => add(t, `${run}-${i}`, { above: "high" })),
      ),
    ]);
    await meet(t, document, replicas);

    t.step(
      "each adds a run of shapes above the lowest, and moves another one there, unseen by others",
    );
    for (const [who, replica] of replicas.entries()) {
      for (let i = 0; i < RUN; i++) {
        const above = i === 0 ? "low" : `${names[who]}-${i - 1}`;
        await replica.edit(document, [add(t, `${names[who]}-${i}`, { above })]);
      }
      for (let i = 0; i < RUN; i++) {
        const above = i === 0 ? `${names[who]}-${RUN - 1}` : `${ready[who]}-${i - 1}`;
        await replica.edit(document, [move(`${ready[who]}-${i}`, { above })]);
      }
    }
    const order = idsOf((await meet(t, document, replicas)).shapes);
    t.equal([order[0], order.at(-1)], ["low", "high"], "all of it is between the two");
    t.equal(order.length, 2 + 2 * RUN * names.length, "nothing is lost and nothing is there twice");
    for (const name of names) {
      const from = order.indexOf(`${name}-0`);
      const run = [`${name}`, `${name}-moved`].flatMap((each) =>
        Array.from({ length: RUN }, (_, i) => `${each}-${i}`),
      );
      t.equal(order.slice(from, from + 2 * RUN), run, "a run stays together, and in its order");
    }

    t.step(
      "whoever says between two neighbours means between these two, whoever else has been there",
    );
    const [lower, upper] = [`${names[1]}-2`, `${names[1]}-3`];
    await replicas[2].edit(document, [add(t, "wedge", { above: lower })]);
    const now = idsOf((await meet(t, document, replicas)).shapes);
    const at = now.indexOf("wedge");
    t.equal([now[at - 1], now[at + 1]], [lower, upper], "it is right above what it was put above");

    t.step(`${TIMES} times at one place: always above the same one, and each above the one before`);
    for (const [index, aboveOf] of [() => "base", (i: number) => `s-${i - 1}`].entries()) {
      const full = t.random.word();
      await replicas[0].edit(full, [add(t, "base")]);
      const sizes: number[] = [];
      for (let i = 0; i < TIMES; i++) {
        const above = i === 0 ? "base" : aboveOf(i);
        const { bytes } = await replicas[0].edit(full, [add(t, `s-${i}`, { above })]);
        sizes.push(bytes.length);
      }
      const made = Array.from({ length: TIMES }, (_, i) => `s-${i}`);
      const expected = ["base", ...(index === 0 ? made.reverse() : made)];
      t.equal(
        idsOf((await replicas[0].view(full)).shapes),
        expected,
        "the order is as it was made",
      );
      const first = mean(sizes.slice(0, SAMPLE));
      const last = mean(sizes.slice(-SAMPLE));
      t.ok(last <= 1.5 * first + 64, "a change has no more bytes for what was there before", {
        expected: `about ${first} bytes, as in the first ${SAMPLE}; half as much more is granted`,
        received: `${last} bytes, on average, in the last ${SAMPLE} of ${TIMES}`,
      });
    }
  },
});

const mean = (numbers: readonly number[]) =>
  Math.round(numbers.reduce((sum, one) => sum + one, 0) / numbers.length);
