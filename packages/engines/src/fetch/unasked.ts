import type { Offer } from "../types.ts";

/** What a gate may fetch by itself. */
const unaskedBytes = 30_000_000;

/**
 * Whether tests may take an offer without surprising anybody: what is fetched for it is small, or
 * `KATA_CONFORMANCE=all` asks for everything. That it has been fetched already makes no difference:
 * one machine's gate tests what another's does. What an exercise needs is fetched in any case.
 */
export function fetchableUnasked(
  { fetch, cached = 0 }: Extract<Offer, { offered: true }>,
  env: NodeJS.ProcessEnv = process.env,
): boolean {
  return (fetch?.bytes ?? 0) + cached <= unaskedBytes || env.KATA_CONFORMANCE === "all";
}
