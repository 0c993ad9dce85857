import { cancel, isCancel, multiselect, select, text } from "@clack/prompts";
import { checkName } from "@db-katas/generators/names";
import type { Offer } from "./offer.ts";

const OWN = "(own)";

/** A new exercise, as somebody wants it. */
export interface OwnExercise {
  readonly name: string;
  readonly engines: readonly string[];
  /** Default: the first one that is offered. */
  readonly shape?: string | undefined;
}

export interface Answers {
  readonly katas: readonly string[];
  readonly own?: OwnExercise;
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

async function askOwn(offer: Offer): Promise<OwnExercise> {
  const name = given(
    await text({ message: "What is it called?", placeholder: "write-skew", validate: problemOf }),
  );
  const engines = given(
    await multiselect({
      message: "What does it run on?",
      options: offer.engines.map((engine) => ({ value: engine.name, label: engine.title })),
    }),
  );
  const shape = given(
    await select({
      message: "How does the grader call it?",
      options: offer.shapes.map((each) => ({
        value: each.name,
        label: each.name,
        hint: each.title,
      })),
    }),
  );
  return { name, engines, shape };
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
