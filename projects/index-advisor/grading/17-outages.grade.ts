import { blackHole } from "@db-katas/engines/faults/blackHole";
import { resetConnections } from "@db-katas/engines/faults/resetConnections";
import type { Advisor, Statement } from "../contract.ts";
import { type AdvisorContext, check, type Role, startAdvisor } from "./kit.ts";
import {
  applying,
  asking,
  expectError,
  expectRefused,
  isAdvised,
  loadSearched,
  SHORT_MS,
  SLACK_MS,
  unavailable,
} from "./refusals.ts";

/** How many messages of a call are let through before the connection breaks. */
const MOST_MESSAGES = 12;
/** … and before nothing is heard of the database any more. */
const FEW_MESSAGES = 4;
/** How long a node may take to be well again, in milliseconds. */
const RECOVERY_MS = 20_000;
type Stopped = Parameters<AdvisorContext["hold"]>[1];

export default check({
  title: "a database that is away, breaks off or falls silent is named in time, and is found again",
  points: 3,
  concept: "bad input",
  traps: ["blames-the-other", "waits-for-ever", "crashes-are-over", "gives-away"],
  engines: {
    target: { faults: [blackHole, resetConnections] },
    scratch: { faults: [blackHole, resetConnections] },
  },
  nodes: ["a", "b", "c", "d", "e"],
  hints: [
    "A connection may break at any message, or stay open while nobody answers any more. Who notices the latter, and what is left on the copy after the former?",
    "A connection that breaks, or gives no answer, belongs to one of two databases. A server that is gone keeps none of its own time-outs: the client needs one for each query, within the call's budget, and none of these may be followed by tidying up over the same connection. Work that broke off has left its indexes on the copy: drop them before you begin.",
  ],
  async run(t) {
    const { random } = t;
    const { name, table, searching } = await loadSearched(t);
    const good: Statement[] = [searching];
    const a = await startAdvisor(t);
    const isWell = (node: Advisor) =>
      t.eventually(
        RECOVERY_MS,
        () => node.advise({ statements: good }),
        (advice) => isAdvised(advice, name),
        "once the database can be reached again, the advice is as good as before",
        `an index on ${table}`,
      );

    // A build, and not one that is only pretended: HypoPG is asked with the same words.
    const build = new RegExp(`^(?!.*(hypopg|pg_temp)).*\\bcreate\\s+index\\b.*${name}`, "is");
    const anywhere = { node: "a", match: /./ } as const;
    const breaks: readonly (readonly [string, Role, Stopped])[] = [
      [
        "to the target breaks in the middle of a call",
        "target",
        { ...anywhere, nth: random.int(2, MOST_MESSAGES) },
      ],
      [
        "to the copy breaks in the middle of a call",
        "scratch",
        { ...anywhere, nth: random.int(2, MOST_MESSAGES) },
      ],
      [
        "to the copy breaks when an index was built there",
        "scratch",
        { node: "a", match: build, direction: "reply" },
      ],
    ];
    for (const [what, role, stop] of breaks) {
      t.step(`the connection ${what}`);
      await expectNamed(
        t,
        role,
        await brokenOff(t, role, stop, () => a.advise({ statements: good })),
      );
      await isWell(a);
    }

    const [b, c, d, e] = await Promise.all(
      ["b", "c", "d", "e"].map((node) => startAdvisor(t, node, SHORT_MS)),
    );
    if (!b || !c || !d || !e) return;
    t.step(
      "the target can't be reached by b, and falls silent in the middle of calls of c, d and e",
    );
    {
      await using away = await t.inject("target", blackHole, { nodes: ["b"] });
      await Promise.all([
        expectRefused(t, asking(b, "target", good, table), unavailable.target),
        expectSilence(t, "target", "c", random.int(1, FEW_MESSAGES), () =>
          c.advise({ statements: good }),
        ),
        // Its first question may be the last one: the target has no pg_stat_statements.
        expectSilence(t, "target", "d", 1, () => d.collect({ by: "calls", limit: 10 })),
        expectSilence(t, "target", "e", random.int(1, FEW_MESSAGES), applying(e, "perhaps", table)),
      ]);
      const { train, test } = await b.split(["SELECT 1"], 1);
      t.equal(train.length + test.length, 1, "split() needs no database");
      await away.heal();
      await t.inject("target", resetConnections, { nodes: ["b", "c", "d", "e"] });
    }
    t.step("the copy can't be reached by b, and falls silent in the middle of a call of c");
    {
      await using away = await t.inject("scratch", blackHole, { nodes: ["b"] });
      await Promise.all([
        expectRefused(t, asking(b, "scratch", good, table), unavailable.scratch),
        expectSilence(t, "scratch", "c", random.int(1, MOST_MESSAGES), () =>
          c.advise({ statements: good }),
        ),
      ]);
      await away.heal();
      await t.inject("scratch", resetConnections, { nodes: ["b", "c"] });
    }
    t.step("all is well again");
    for (const node of [b, c]) await isWell(node);
  },
});

async function brokenOff<T>(
  t: AdvisorContext,
  role: Role,
  stop: Stopped,
  call: () => Promise<T>,
): Promise<PromiseSettledResult<T>> {
  using gate = t.hold(role, stop);
  const called = call();
  const [outcome] = await Promise.all([
    Promise.allSettled([called]).then(([settled]) => settled),
    Promise.race([gate.held, Promise.allSettled([called])]).then(async () => {
      await t.inject(role, resetConnections, { nodes: ["a"] });
      gate.release();
    }),
  ]);
  return outcome;
}

/** It may have had all that it needed, or may have asked once more. */
async function expectNamed(
  t: AdvisorContext,
  role: Role,
  outcome: PromiseSettledResult<unknown>,
): Promise<void> {
  if (outcome.status === "fulfilled") return;
  const what = "an error names the database whose connection broke";
  await expectError(t, outcome, unavailable[role], what);
}

/** Connections stay open, and after some messages of that call nothing passes them any more. */
async function expectSilence(
  t: AdvisorContext,
  role: Role,
  node: string,
  nth: number,
  call: () => Promise<unknown>,
): Promise<void> {
  using gate = t.hold(role, { node, match: /./, nth });
  let called: Promise<unknown> = Promise.resolve();
  const judged = t.within(
    SHORT_MS + SLACK_MS,
    () => {
      called = call();
      return called;
    },
    "a call ends in its time, though nobody answers in the middle of it",
  );
  judged.catch(() => {});
  await Promise.race([gate.held.then(() => {}), Promise.allSettled([called])]);
  await using silence = await t.inject(role, blackHole, { nodes: [node] });
  gate.release();
  const { outcome } = await judged;
  await silence.heal();
  await expectNamed(t, role, outcome);
}
