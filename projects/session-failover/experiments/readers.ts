/** Sessions read in the ways that `bench` compares, for experiments of the decision log. */
import type { Bench, Stage } from "@db-katas/measure";
import type { Contender, Open } from "../bench/contenders.ts";

/** Opens each with its own sessions, and reads them in turn. */
export async function openReaders(
  { leases: { postgres, redis }, parameters: { sessions = 1 } }: Stage,
  ways: Readonly<Record<string, Open>>,
): Promise<Bench> {
  await using opening = new AsyncDisposableStack();
  if (!postgres || !redis) throw new Error("The experiment names postgres and redis.");
  const stores = { postgres: postgres.adminUrl, redis: redis.adminUrl };
  const readers = new Map<string, Contender>();
  for (const [name, open] of Object.entries(ways)) {
    readers.set(name, opening.use(await open(stores, sessions)));
  }
  const opened = opening.move();
  return {
    async measure(name, turn) {
      await turn.load(async (n) => {
        // Nothing must look fast because it finds nothing.
        const found = await readers.get(name)?.read(n % sessions);
        if (!found) throw new Error(`Session ${n % sessions} was not found.`);
      });
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** What they all need. */
export const bothStores = {
  postgres: { engine: "postgres" },
  redis: { engine: "redis", isolation: "instance" },
} as const;
