import { ask } from "../../ask.ts";

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
