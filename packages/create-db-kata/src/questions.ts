import { cancel, isCancel, multiselect, text } from "@clack/prompts";
import { checkName } from "@db-katas/generators/names";
import type { Offer } from "./offer.ts";

const OWN = "(own)";

export interface Answers {
  readonly katas: readonly string[];
  readonly own?: { readonly name: string; readonly engines: readonly string[] };
}

/** Asks for the folder. Ctrl-C ends the process; nothing has been written yet. */
export async function askFolder(suggestion: string): Promise<string> {
  const answer = await text({
    message: "Where to?",
    placeholder: suggestion,
    defaultValue: suggestion,
  });
  return given(answer);
}

/** Asks which exercises, and for what a new one needs. */
export async function askWhat(offer: Offer): Promise<Answers> {
  const chosen = given(
    await multiselect({
      message: "Which exercises? (space chooses, return goes on)",
      options: [
        ...offer.katas.map(({ name, title, summary }) => ({
          value: name,
          label: title,
          hint: summary,
        })),
        { value: OWN, label: "A new exercise of my own", hint: "for those who write exercises" },
      ],
    }),
  );
  const katas = chosen.filter((name) => name !== OWN);
  return chosen.includes(OWN) ? { katas, own: await askOwn(offer) } : { katas };
}

async function askOwn(offer: Offer): Promise<NonNullable<Answers["own"]>> {
  const name = given(
    await text({ message: "What is it called?", placeholder: "write-skew", validate: problemOf }),
  );
  const engines = given(
    await multiselect({
      message: "What does it run on?",
      options: offer.engines.map((engine) => ({ value: engine.name, label: engine.title })),
    }),
  );
  return { name, engines };
}

function problemOf(name: string | undefined): string | undefined {
  try {
    checkName(name ?? "");
    return undefined;
  } catch (error) {
    return (error as Error).message.split("\n")[0];
  }
}

function given<T>(answer: T): Exclude<T, symbol> {
  if (!isCancel(answer)) return answer as Exclude<T, symbol>;
  cancel("Nothing was written.");
  process.exit(130);
}
