/** What several experiments need. */
import type { Stage } from "@db-katas/measure";
import reference from "../src/index.ts";

/** @returns the address of a database that has what servers need */
export async function migrated(leases: Stage["leases"]): Promise<string> {
  const { postgres } = leases;
  if (!postgres) throw new Error("The experiment names postgres.");
  await reference.migrate(postgres.adminUrl);
  return postgres.adminUrl;
}

/** @returns how long it took, in milliseconds */
export async function timed(work: () => unknown): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

export type Random = Stage["random"];

/** A whole number from 0 to `below`, which isn't one of them. */
export function whole(random: Random, below: number): number {
  return Math.floor(random() * below);
}

export const LETTERS = "abcdefghijklmnopqrstuvwxyz ";

export function letter(random: Random): string {
  return LETTERS.charAt(whole(random, LETTERS.length));
}
