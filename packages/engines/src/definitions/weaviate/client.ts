/** @returns what Weaviate answers, all of it */
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
  return (text ? JSON.parse(text) : undefined) as T;
}

/** @throws anything, while it is not ready for requests */
export async function versionAt(url: string): Promise<string> {
  await ask(url, "GET", "/v1/.well-known/ready");
  return (await ask<{ version: string }>(url, "GET", "/v1/meta")).version;
}

/** As the server describes it; what makes it again. */
export interface Collection {
  readonly class: string;
}

export async function collectionsOf(url: string): Promise<Collection[]> {
  return (await ask<{ classes: Collection[] }>(url, "GET", "/v1/schema")).classes;
}

/** Whether there is no collection yet. */
export async function isEmpty(url: string): Promise<boolean> {
  return (await collectionsOf(url)).length === 0;
}

/** Removes all collections, and the aliases that would outlive them. */
export async function clear(url: string): Promise<void> {
  type Listed = { aliases: { alias: string }[] };
  for (const { alias } of (await ask<Listed>(url, "GET", "/v1/aliases")).aliases)
    await ask(url, "DELETE", `/v1/aliases/${alias}`);
  for (const { class: name } of await collectionsOf(url))
    await ask(url, "DELETE", `/v1/schema/${name}`);
}
