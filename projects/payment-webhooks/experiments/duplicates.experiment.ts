import { defineExperiment } from "@db-katas/measure";
import { bothStores, migrate, openNode, payments, tell } from "./stage.ts";

export default defineExperiment({
  title: "What a duplicate costs, with a Redis that knows it and without any.",
  parameters: { events: { what: "events that are told again in turn", full: 512, quick: 64 } },
  engines: bothStores,
  contenders: {
    redis: { what: "Redis knows that it is recorded" },
    postgres: { what: "there is no Redis; PostgreSQL knows it" },
  },
  load: { kind: "closed", clients: 8, ms: 200 },
  async open(stage) {
    const { leases, parameters } = stage;
    await migrate(leases);
    await using opening = new AsyncDisposableStack();
    const nodes = {
      redis: opening.adopt(await openNode(leases), (each) => each.close()),
      postgres: opening.adopt(
        // Nobody listens there.
        await openNode(leases, { name: "b", redis: "redis://127.0.0.1:1" }),
        (each) => each.close(),
      ),
    };
    const next = payments(stage);
    const told = Array.from({ length: parameters.events ?? 1 }, () => next().captured());
    // Twice, since the first ones may have been told before Redis was reached.
    for (const event of [...told, ...told]) await tell(nodes.redis, event);
    const opened = opening.move();
    return {
      async measure(contender, turn) {
        const node = nodes[contender as keyof typeof nodes];
        await turn.load(async (n) => {
          const event = told[n % told.length];
          if (event) await tell(node, event);
        });
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  },
});
