/** @returns what Qdrant answers, all of it */
export async function ask<T>(
  url: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<T> {
  const answer = await fetch(new URL(path, url), {
    method,
    signal: AbortSignal.timeout(10_000),
    // Else it would stay open for those who come later, and count as somebody's.
    headers: { connection: "close", "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text) as T;
}

/** Whether there is no collection yet. */
export async function isEmpty(url: string): Promise<boolean> {
  return (await collectionsOf(url)).length === 0;
}

/** Removes all collections; aliases go with them. */
export async function clear(url: string): Promise<void> {
  for (const name of await collectionsOf(url)) await ask(url, "DELETE", pathOf(name));
}

export function pathOf(collection: string): string {
  return `/collections/${encodeURIComponent(collection)}`;
}

export async function collectionsOf(url: string): Promise<string[]> {
  type Listed = { result: { collections: { name: string }[] } };
  const { result } = await ask<Listed>(url, "GET", "/collections");
  return result.collections.map(({ name }) => name);
}
