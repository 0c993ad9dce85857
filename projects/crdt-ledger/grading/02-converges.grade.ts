import { check, startReplicas } from "./kit.ts";
import { run } from "./simulation/run.ts";
import { drawSchedule, type Event } from "./simulation/schedule.ts";
import { shrink } from "./simulation/shrink.ts";

const PEOPLE = ["ada", "bob", "cleo", "dan", "eve"];
const RUNS = 3;
const EVENTS = 140;
/** Runs of ever smaller parts of what failed, before the smallest one is shown. */
const TRIES = 50;

export default check({
  title: "whatever comes late, twice, out of order or after hours, all see the same in the end",
  points: 5,
  concept: "convergence",
  traps: ["waits-for-few"],
  engines: {},
  nodes: PEOPLE,
  dependsOn: ["alone"],
  hints: [
    "The failure shows the fewest events that lead to it. Play them on paper: what does each replica know at the end, and what did it know when it decided?",
    "A view may depend on which changes are there, and on nothing else: not on their order, not on how often they came, not on what was seen in between.",
    "Something that came before what it had seen has to be kept until that comes, however long, and however many others wait.",
  ],
  async run(t) {
    const replicas = await startReplicas(t, PEOPLE);
    const people = PEOPLE.map((name, i) => ({
      name,
      replica: replicas[i] as (typeof replicas)[0],
    }));
    for (let nth = 1; nth <= RUNS; nth++) {
      t.step(`${PEOPLE.length} people, ${EVENTS} events, schedule ${nth} of ${RUNS}`);
      const schedule = drawSchedule(t.random, { people: PEOPLE.length, events: EVENTS });
      const once = (part: readonly Event[]) => run(people, t.random.word(20), part, t.seed);
      const failure = await once(schedule);
      if (!failure) continue;
      const fails = async (part: readonly Event[]) => (await once(part))?.what === failure.what;
      const least = await shrink(schedule, fails, TRIES);
      const shown = (await once(least)) ?? failure;
      const story = shown.story
        .map((line, i) => `${String(i + 1).padStart(3)}  ${line}`)
        .join("\n");
      t.ok(false, shown.what, {
        expected: shown.expected,
        received: `${shown.received}\n${least.length} of ${EVENTS} events lead to it (a <- b:2 means that b's change 2 comes to a):\n${story}`,
      });
    }
  },
});
