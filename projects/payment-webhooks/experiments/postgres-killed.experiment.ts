import { setTimeout as wait } from "node:timers/promises";
import { kill } from "@db-katas/engines/faults/kill";
import { defineExperiment } from "@db-katas/measure";
import type { WebhookEvent } from "../contract.ts";
import {
  bothStores,
  leasesOf,
  migrate,
  openNode,
  payments,
  tell,
  tellUntilRecorded,
} from "./stage.ts";

/** Of a delivery, as in the checks that measure it. */
const BUDGET_MS = 1_500;
/** After so long PostgreSQL is killed, in milliseconds. */
const BEFORE_MS = 150;

export default defineExperiment({
  title: "What becomes of captures while PostgreSQL is killed, and when they are told again.",
  parameters: {},
  engines: {
    ...bothStores,
    postgres: { ...bothStores.postgres, isolation: "instance", needs: ["kill"] },
  },
  contenders: { killed: { what: "PostgreSQL is killed in the middle of it, and comes back" } },
  metrics: {
    kept: {
      what: "share of the captures answered with 200 that are there afterwards",
      kind: "value",
      unit: "1",
    },
    credited: {
      what: "what is credited when all were told again, of what should be",
      kind: "value",
      unit: "1",
    },
  },
  load: { kind: "open", perSecond: 100, ms: 500 },
  turns: 15,
  warmUpTurns: 1,
  async open(stage) {
    const { leases } = stage;
    const { postgres } = leasesOf(leases);
    await migrate(leases);
    const node = await openNode(leases, { requestBudgetMs: BUDGET_MS });
    const next = payments(stage);
    return {
      async measure(_, turn) {
        const before = await node.balance("EUR");
        const told: WebhookEvent[] = [];
        const promised: WebhookEvent[] = [];
        const outage = wait(BEFORE_MS).then(async () => (await postgres.inject(kill)).heal());
        await turn.load(
          async () => {
            const event = next().captured();
            told.push(event);
            await tell(node, event);
            promised.push(event);
          },
          { mayFail: true },
        );
        await outage;
        // Something else, until the node has reached PostgreSQL again.
        await tellUntilRecorded(node, next().authorized());
        const found = await Promise.all(promised.map(({ payment }) => node.payment(payment)));
        const kept = found.filter((payment) => payment?.state === "captured").length;
        turn.record("kept", kept / promised.length);
        for (const event of told) await tellUntilRecorded(node, event);
        const due = told.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
        turn.record("credited", Number((await node.balance("EUR")) - before) / Number(due));
      },
      [Symbol.asyncDispose]: () => node.close(),
    };
  },
});
