/**
 * A run for the soak to kill: leases, breaks and gives back for ever, so that something is under way
 * whenever it dies. It ends by itself when its run does. Arguments: what to lease, one after another.
 */
import { kill } from "../src/faults/kill.ts";
import { pause } from "../src/faults/pause.ts";
import { openEngines } from "../src/index.ts";

const engines = process.argv.slice(2);
await using run = await openEngines();

async function useUp(engine: string): Promise<void> {
  await using lease = await run.lease(engine, { isolation: "instance" });
  await using paused = await lease.inject(pause);
  await paused.heal();
  await using killed = await lease.inject(kill);
  await killed.heal();
}

await Promise.all(
  engines.map(async (engine) => {
    for (;;) await useUp(engine);
  }),
);
