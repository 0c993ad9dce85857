/** Who sent it? Decided on the bytes that came, before anybody reads them. */
import { createHmac, timingSafeEqual } from "node:crypto";

const HEADER = "webhook-signature";
/** SHA-256 in hexadecimal. */
const DIGEST = /^[0-9a-f]{64}$/i;

export interface SignatureRules {
  readonly signingSecrets: readonly string[];
  readonly toleranceSeconds: number;
}

/** Whether one of the secrets signed these bytes, and not too long ago. */
export function isGenuine(
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  { signingSecrets, toleranceSeconds }: SignatureRules,
): boolean {
  const { time, digests } = parse(headers[HEADER] ?? "");
  if (time === undefined) return false;
  // The time is part of what is signed: an old delivery can't be sent again with a new one.
  if (Math.abs(Date.now() / 1_000 - Number(time)) > toleranceSeconds) return false;
  return signingSecrets.some((secret) => {
    const expected = createHmac("sha256", secret).update(`${time}.`).update(body).digest();
    return digests.some((digest) => timingSafeEqual(digest, expected));
  });
}

function parse(header: string): { time: string | undefined; digests: Buffer[] } {
  const pairs = header.split(",").map((pair) => pair.trim().split("=", 2));
  const time = pairs.find(([name]) => name === "t")?.[1];
  const digests = pairs
    .filter(([name, value]) => name === "v1" && DIGEST.test(value ?? ""))
    .map(([, value]) => Buffer.from(value ?? "", "hex"));
  return { time: time && /^\d{1,12}$/.test(time) ? time : undefined, digests };
}
