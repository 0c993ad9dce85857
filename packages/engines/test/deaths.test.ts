/** A few of the deaths that `pnpm --filter @db-katas/engines soak` dies by the hundred. */
import { expect, test } from "vitest";
import { die, drawDeaths } from "../soak/deaths.ts";
import { linux } from "./helpers.ts";

const seed = Number(process.env.KATA_SEED ?? 1);

test.runIf(linux).each(drawDeaths(seed, 6))(
  "nothing is left after $way at $afterMs ms",
  { timeout: 60_000 },
  async (death) => {
    expect(await die(death)).toEqual([]);
  },
);
