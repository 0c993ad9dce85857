/** How long a server may take for an answer, in milliseconds. */
const patienceMs = 10_000;

/**
 * @param path of a server's REST interface
 * @returns what it answers, all of it; undefined where it says nothing
 * @throws Error when it refuses, or says nothing in time
 */
export async function ask<T>(
  url: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<T> {
  const answer = await fetch(new URL(path, url), {
    method,
    signal: AbortSignal.timeout(patienceMs),
    // Else it would stay open for those who come later, and count as somebody's.
    headers: { connection: "close", "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return (text ? JSON.parse(text) : undefined) as T;
}

/** Whole numbers that are beyond JavaScript's. */
const great = /[:,[]\s*-?\d{16,}[\s,\]}]/;

/** Whether all numbers of an answer are still what the server said. */
export function isExact(answer: unknown): boolean {
  return !great.test(JSON.stringify(answer));
}
