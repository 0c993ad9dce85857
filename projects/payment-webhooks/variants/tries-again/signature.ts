import { createHmac, timingSafeEqual } from "node:crypto";

/** Over the bytes as they came. Anything that is not as documented is not the provider's. */
export function isGenuine(
  header: string | undefined,
  rawBody: Uint8Array,
  secrets: readonly string[],
  toleranceSeconds: number,
): boolean {
  if (typeof header !== "string") return false;
  const times: string[] = [];
  const digests: Buffer[] = [];
  for (const part of header.split(",")) {
    const at = part.indexOf("=");
    const name = part.slice(0, Math.max(0, at)).trim();
    const value = part.slice(at + 1).trim();
    if (name === "t") times.push(value);
    if (name === "v1" && /^[0-9a-f]{64}$/i.test(value)) digests.push(Buffer.from(value, "hex"));
  }
  const [time] = times;
  if (times.length !== 1 || time === undefined || !/^\d{1,15}$/.test(time)) return false;
  if (Math.abs(Date.now() / 1000 - Number(time)) > toleranceSeconds) return false;
  let fits = false;
  for (const secret of secrets) {
    const expected = createHmac("sha256", secret).update(`${time}.`).update(rawBody).digest();
    for (const digest of digests) if (timingSafeEqual(digest, expected)) fits = true;
  }
  return fits;
}
