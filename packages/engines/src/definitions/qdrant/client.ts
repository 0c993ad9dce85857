/** @returns what Qdrant answers, all of it */
export async function ask<T>(
  url: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<T> {
  const answer = await fetch(new URL(path, url), {
    method,
    signal: AbortSignal.timeout(5_000),
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text) as T;
}

/** Whether there is no collection yet. */
export async function isEmpty(url: string): Promise<boolean> {
  return (await collections(url)).length === 0;
}

/** Removes all collections; aliases go with them. */
export async function clear(url: string): Promise<void> {
  for (const name of await collections(url))
    await ask(url, "DELETE", `/collections/${encodeURIComponent(name)}`);
}

async function collections(url: string): Promise<string[]> {
  const { result } = await ask<{ result: { collections: { name: string }[] } }>(
    url,
    "GET",
    "/collections",
  );
  return result.collections.map(({ name }) => name);
}
