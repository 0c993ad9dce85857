import { describeEngine } from "../../src/conformance/index.ts";
import { loadDefinitions } from "../../src/index.ts";

/** How many files the suite is dealt out to: the engines of one file run one after another. */
const FILES = 2;

/** Declares the suite for every engine whose turn it is: of the registry's, each `FILES`-th. */
export async function describeShare(file: number): Promise<void> {
  const names = [...(await loadDefinitions()).keys()];
  for (const name of names.filter((_, i) => i % FILES === file)) await describeEngine(name);
}
