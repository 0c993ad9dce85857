import { createHash } from "node:crypto";
import type { Phase } from "../contract.ts";

/** In order. */
export const phases: readonly Phase[] = [
  "legacy",
  "copying",
  "shadow",
  "canary-5",
  "canary-25",
  "canary-50",
  "canary-100",
  "modern",
];

/** Which share of the ids modern answers for, in percent. */
export function canaryShare(phase: Phase): number {
  return phase === "modern" ? 100 : Number(/^canary-(\d+)$/.exec(phase)?.[1] ?? 0);
}

/**
 * Where an id stands between 0 and 100, the same on every node and for ever: who is in 5 % is in 25 %,
 * too.
 */
export function canaryPosition(id: string): number {
  return (createHash("sha256").update(id).digest().readUInt32BE(0) / 2 ** 32) * 100;
}

/** Whether reads are compared with modern where legacy answers them. */
export function isShadowed(phase: Phase): boolean {
  return phases.indexOf(phase) >= phases.indexOf("shadow") && phase !== "modern";
}
