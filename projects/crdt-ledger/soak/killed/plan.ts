/** What dies in a run, and when: counted in changes that were acknowledged by then, so that a seed says it. */
import { type Random, randomFrom, seedFor } from "@db-katas/grading";
import { ACTORS } from "./doings.ts";

export const SERVERS = ["s1", "s2"] as const;

/** Who dies together, as people call it. */
export const KINDS = [
  "one server",
  "both servers",
  "PostgreSQL",
  "PostgreSQL and one server",
  "PostgreSQL and both servers",
] as const;
export type Kind = (typeof KINDS)[number];

export interface Death {
  readonly kind: Kind;
  /** After so many changes were acknowledged. */
  readonly at: number;
  readonly postgres: boolean;
  /** Places in {@link SERVERS}. */
  readonly servers: readonly number[];
}

export interface Compaction {
  readonly at: number;
  readonly server: number;
}

export interface Plan {
  readonly seed: number;
  /** That each of {@link ACTORS} makes. */
  readonly changes: number;
  readonly deaths: readonly Death[];
  readonly compactions: readonly Compaction[];
  /** From which all else is drawn: what people do. */
  readonly random: Random;
}

const FEWEST_CHANGES = 12;
const MOST_CHANGES = 24;
const MOST_DEATHS = 3;
const MOST_COMPACTIONS = 2;
/** Of a hundred compactions, how many begin right before something dies. */
const MEET_A_DEATH = 40;

export function planFrom(seed: number): Plan {
  // Numbers that follow each other would begin alike.
  const random = randomFrom(seedFor(seed, "killed"));
  const changes = random.int(FEWEST_CHANGES, MOST_CHANGES);
  const all = changes * ACTORS.length;
  const deaths = Array.from({ length: random.int(1, MOST_DEATHS) }, () => drawDeath(random, all));
  const compactions = Array.from({ length: random.int(0, MOST_COMPACTIONS) }, () => {
    const meets = random.int(0, 99) < MEET_A_DEATH;
    const at = meets ? random.pick(deaths).at : random.int(1, all - 1);
    return { at, server: random.int(0, SERVERS.length - 1) };
  });
  return { seed, changes, deaths, compactions, random };
}

/** Not with the last one: something has to be left to do. */
function drawDeath(random: Random, all: number): Death {
  const kind = random.pick(KINDS);
  const at = random.int(1, all - 1);
  const one = random.int(0, SERVERS.length - 1);
  const isOne = kind.endsWith("one server");
  const servers = isOne ? [one] : kind.endsWith("both servers") ? [...SERVERS.keys()] : [];
  return { kind, at, postgres: kind.startsWith("PostgreSQL"), servers };
}
