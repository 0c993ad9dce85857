/** The process of one experiment that isn't ours. It does what its parent says, and ends with it. */
import type { Lease } from "@db-katas/engines";
import { experimentMisuse, messageOf } from "../errors.ts";
import type { Bench } from "../experiment/definition.ts";
import { type Experiment, loadExperiment } from "../experiment/load-experiment.ts";
import { Recorder } from "../experiment/recorder.ts";
import { randomFrom } from "../stats/random.ts";
import type { Answer, Answered, Order, Ordered } from "./protocol.ts";

const { signal } = new AbortController();
let experiment: Experiment | undefined;
let bench: Bench | undefined;

async function obey(order: Order): Promise<Answer> {
  if (order.kind === "describe") {
    experiment = await loadExperiment(order.file);
    const { open: _, ...description } = experiment.definition;
    return { kind: "described", sha256: experiment.sha256, description };
  }
  if (!experiment) throw new Error("There is no experiment yet.");
  const { definition } = experiment;
  if (order.kind === "open") {
    const leases = Object.fromEntries(
      Object.entries(order.urls).map(([role, url]) => [role, leaseAt(url)]),
    );
    const { parameters, seed } = order;
    bench = await definition.open({ leases, parameters, random: randomFrom(seed), signal });
    return { kind: "opened" };
  }
  const recorder = new Recorder(definition, order.number, signal);
  await bench?.measure(order.contender, recorder);
  return { kind: "measured", found: recorder.found };
}

/** Addresses are all that there is of a lease in here: faults are the grader's. */
function leaseAt(url: string): Lease {
  const known = { adminUrl: url, urlFor: async () => url };
  return new Proxy(known as unknown as Lease, {
    get(target, name) {
      if (name in known || typeof name === "symbol" || name === "then") {
        return Reflect.get(target, name);
      }
      throw experimentMisuse(
        `lease.${name} was used, and an experiment that is graded has adminUrl and urlFor() only`,
      );
    },
  });
}

process.on("message", ({ id, order }: Ordered) => {
  obey(order)
    .catch((error: unknown): Answer => {
      // What happened; what to do about it, the parent says.
      const [message = ""] = messageOf(error).split("\nWhat to do: ");
      return { kind: "failed", message };
    })
    .then((answer) => process.send?.({ id, answer } satisfies Answered));
});
process.once("disconnect", () => process.exit());
