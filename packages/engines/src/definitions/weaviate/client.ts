import { ask } from "../../ask.ts";

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

/** Another name of a collection. */
export interface Alias {
  readonly alias: string;
  readonly class: string;
}

export async function aliasesOf(url: string): Promise<Alias[]> {
  return (await ask<{ aliases: Alias[] }>(url, "GET", "/v1/aliases")).aliases;
}

/** Removes all collections, and the aliases that would outlive them. */
export async function clear(url: string): Promise<void> {
  for (const { alias } of await aliasesOf(url)) await ask(url, "DELETE", `/v1/aliases/${alias}`);
  for (const { class: name } of await collectionsOf(url))
    await ask(url, "DELETE", `/v1/schema/${name}`);
}
