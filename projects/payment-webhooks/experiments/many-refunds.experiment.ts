import { defineExperiment } from "@db-katas/measure";
import { bothStores, leasesOf, migrate, openNode, payments, tell } from "./stage.ts";

export default defineExperiment({
  title: "How many statements an event costs whose payment has many refunds.",
  parameters: { refunds: { what: "refunds that were told before", full: 64, quick: 8 } },
  engines: bothStores,
  contenders: {
    refund: { what: "one refund more, of a payment that is captured" },
    capture: { what: "the capture, for which they all waited" },
  },
  metrics: {
    statements: { what: "counted on the wire", kind: "value", unit: "statements" },
  },
  // What goes over the wire doesn't vary with what else the machine does.
  turns: 5,
  warmUpTurns: 1,
  async open(stage) {
    const { leases, parameters } = stage;
    const { postgres } = leasesOf(leases);
    await migrate(leases);
    const node = await openNode(leases);
    const next = payments(stage);
    const statements = async (work: () => Promise<void>) => {
      const from = performance.timeOrigin + performance.now();
      await work();
      return postgres
        .transcript("a")
        .filter(({ at, direction }) => direction === "request" && at >= from).length;
    };
    return {
      async measure(contender, turn) {
        const purchase = next();
        const refund = () => tell(node, purchase.refunded(1n));
        const capture = () => tell(node, purchase.captured());
        if (contender === "refund") await capture();
        for (let told = 0; told < (parameters.refunds ?? 1); told++) await refund();
        turn.record("statements", await statements(contender === "refund" ? refund : capture));
      },
      [Symbol.asyncDispose]: () => node.close(),
    };
  },
});
