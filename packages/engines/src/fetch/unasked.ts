import type { Offer } from "../types.ts";

/** What a gate may fetch by itself. */
const unaskedBytes = 30_000_000;

/**
 * Whether tests may take an offer without surprising anybody: what it needs is here or small, or
 * `KATA_CONFORMANCE=all` asks for everything. What an exercise needs is fetched in any case.
 */
export function fetchableUnasked(
  { fetch }: Extract<Offer, { offered: true }>,
  env: NodeJS.ProcessEnv = process.env,
): boolean {
  return fetch === undefined || fetch.bytes <= unaskedBytes || env.KATA_CONFORMANCE === "all";
}
