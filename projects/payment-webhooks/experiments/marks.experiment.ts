import { defineExperiment } from "@db-katas/measure";
import { Redis } from "ioredis";
import pg from "pg";
import { leasesOf, migrate, ownStores, payments, setAsByDefault } from "./stage.ts";

const CLIENTS = 32;
/** As long as the reference's. */
const KEPT_SECONDS = 3 * 24 * 60 * 60;

export default defineExperiment({
  title: "How many events a second can be noted as known, by whom nothing else is asked.",
  parameters: {},
  engines: ownStores,
  contenders: {
    redis: { what: "SET NX with an expiry" },
    postgres: { what: "INSERT … ON CONFLICT DO NOTHING" },
  },
  load: { kind: "closed", clients: CLIENTS, ms: 200 },
  async open(stage) {
    await using opening = new AsyncDisposableStack();
    await setAsByDefault(stage.leases);
    await migrate(stage.leases);
    const { postgres, redis } = leasesOf(stage.leases);
    const pool = opening.adopt(
      // Past the proxies, whose own cost would make the two look alike.
      new pg.Pool({ connectionString: postgres.adminUrl, max: CLIENTS }),
      (each) => each.end(),
    );
    const marks = opening.adopt(new Redis(redis.adminUrl), (each) => each.disconnect());
    const { payment: run } = payments(stage)();
    let noted = 0;
    const note: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
      redis: (id) => marks.set(id, 1, "EX", KEPT_SECONDS, "NX"),
      postgres: (id) =>
        pool.query({
          name: "note",
          text: "INSERT INTO events (id) VALUES ($1) ON CONFLICT DO NOTHING",
          values: [id],
        }),
    };
    const opened = opening.move();
    return {
      async measure(contender, turn) {
        await turn.load(async () => {
          noted += 1;
          await note[contender]?.(`${run}/${noted}`);
        });
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  },
});
