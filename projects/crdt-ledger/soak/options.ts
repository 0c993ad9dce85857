/** What the programs of this folder are asked for. */
import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** Ends the process where help is asked for, with 0, or something that there isn't, with 2. */
export function optionsOf<const Options extends ParseArgsOptionsConfig>(
  help: string,
  options: Options,
) {
  const { values } = orRefused(() =>
    parseArgs({ options: { ...options, help: { type: "boolean", default: false } } }),
  );
  if ((values as { readonly help?: boolean }).help) {
    console.log(help);
    process.exit();
  }
  return values;
}

/** A whole number from 1; ends the process with 2 where it is none. */
export function count(text: string, flag: string): number {
  return orRefused(() => {
    const number = Number(text);
    if (Number.isSafeInteger(number) && number >= 1) return number;
    throw new Error(`${flag} takes a whole number from 1, and was given ${JSON.stringify(text)}.`);
  });
}

function orRefused<T>(ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    console.error(`${(error as Error).message}\nSee --help.`);
    process.exit(2);
  }
}
