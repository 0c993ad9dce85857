import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** What can be chosen, as it was when this package was built. */
export interface Offer {
  /** Of the packages `@db-katas/*`. */
  readonly version: string;
  readonly katas: readonly {
    readonly name: string;
    readonly title: string;
    readonly summary: string;
    /** The package with its grader. */
    readonly package: string;
    readonly version: string;
  }[];
  /** Those that a new exercise can be made for. */
  readonly engines: readonly { readonly name: string; readonly title: string }[];
  /** How a grader may call app nodes; the first one is what nobody has to say. */
  readonly shapes: readonly { readonly name: string; readonly title: string }[];
  /** The pnpm that this was built with. */
  readonly pnpm: string;
  /** Of a workspace's tools, the versions. */
  readonly tools: Readonly<Record<string, string>>;
}

/** The folder of an exercise: its brief, contract, starter and package.json. */
export function exerciseFolder(name: string): string {
  return join(import.meta.dirname, "exercises", name);
}

export async function readOffer(): Promise<Offer> {
  return JSON.parse(await readFile(join(import.meta.dirname, "offer.json"), "utf8")) as Offer;
}

export function readTsconfig(): Promise<string> {
  return readFile(join(import.meta.dirname, "tsconfig.base.json"), "utf8");
}
