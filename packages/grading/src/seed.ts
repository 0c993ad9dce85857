import { createHash, randomInt } from "node:crypto";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** A run's seed: an integer in [0, 2³¹). Printed with every failure, given back with `--seed`. */
export function freshSeed(): number {
  return randomInt(2 ** 31);
}

/** A check's own seed, so that a check replayed alone sees what it saw among the others. */
export function seedFor(runSeed: number, checkId: string): number {
  return createHash("sha256").update(`${runSeed}/${checkId}`).digest().readUInt32LE(0) >>> 1;
}

/** Replayable randomness. */
export interface Random {
  /** An integer in [min, max], both included. */
  int(min: number, max: number): number;
  /** A lower-case word of that many letters. */
  word(length?: number): string;
  pick<T>(items: readonly T[]): T;
  /** A new array in random order (Fisher–Yates). */
  shuffle<T>(items: readonly T[]): T[];
}

export function randomFrom(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  const int = (min: number, max: number) => uniformInt(generator, min, max);
  return {
    int,
    word: (length = 8) =>
      Array.from({ length }, () => String.fromCharCode(97 + int(0, 25))).join(""),
    pick: (items) => {
      const item = items[int(0, items.length - 1)];
      if (item === undefined) throw new RangeError("pick() from an empty list");
      return item;
    },
    shuffle: (items) => {
      const result = [...items];
      for (let i = result.length - 1; i > 0; i--) {
        const j = int(0, i);
        [result[i], result[j]] = [result[j] as (typeof result)[0], result[i] as (typeof result)[0]];
      }
      return result;
    },
  };
}
