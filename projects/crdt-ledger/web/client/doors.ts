/** What the page asks its own origin: which servers there are, and to be let in. */
import type { Actor, DocumentId } from "../../contract.ts";

export interface Doors {
  /** Names this database. What a browser kept of another one is of no use here. */
  readonly store: string;
  readonly treasurer: Actor;
  readonly servers: readonly string[];
}

export interface Pass {
  /** With a token in it, which is good for a while. */
  readonly address: string;
}

export async function askDoors(): Promise<Doors> {
  return (await ask("/doors")) as Doors;
}

export async function askPass(document: DocumentId, actor: Actor, server: string): Promise<string> {
  const query = new URLSearchParams({ document, actor, server });
  return ((await ask(`/pass?${query}`)) as Pass).address;
}

async function ask(path: string): Promise<unknown> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} was answered with ${response.status}.`);
  return await response.json();
}
