import type { Databases } from "../../../src/databases.ts";
import type { Server } from "../../../src/definition.ts";

/** @returns its answer */
export async function ask<T = string>(
  url: string,
  request: { readonly verb: string } & Readonly<Record<string, string>>,
  signal: AbortSignal | null = null,
): Promise<T> {
  const body = JSON.stringify(request);
  const response = await fetch(new URL("/", url), { method: "POST", body, signal });
  if (!response.ok) throw new Error(await response.text());
  return ((await response.json()) as { answer: T }).answer;
}

/** A namespace is a shelf, which its address names in the path. */
export class Shelves implements Databases {
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  async create(shelf: string): Promise<void> {
    await ask(this.#server.adminUrl, { verb: "make", shelf });
  }

  async exists(shelf: string): Promise<boolean> {
    return (await ask<number>(this.#server.adminUrl, { verb: "size", shelf })) > 0;
  }

  async copy(shelf: string, to: string): Promise<void> {
    await ask(this.#server.adminUrl, { verb: "copy", shelf, to });
  }

  async drop(shelf: string): Promise<void> {
    await ask(this.#server.adminUrl, { verb: "drop", shelf });
  }

  url(shelf: string): string {
    return new URL(shelf, this.#server.adminUrl).href;
  }

  async close(): Promise<void> {}
}
