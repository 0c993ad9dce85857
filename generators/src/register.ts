import type { NodePlopAPI } from "node-plop";
import { createExercise } from "./create-exercise.ts";
import { availableEngines } from "./engines.ts";
import { enginesEmpty } from "./errors.ts";
import { checkName, checkTitle } from "./names.ts";

export interface RegisterOptions {
  /** The folder of templates. */
  readonly templates: string;
  /** The root of the workspace that exercises go into. */
  readonly into: string;
}

/** Adds the generator `exercise` to a plop. */
export async function register(plop: NodePlopAPI, options: RegisterOptions): Promise<void> {
  const engines = await availableEngines(options.templates);
  plop.setGenerator("exercise", {
    description: "a new exercise in projects/, which grades and verifies from the first minute",
    prompts: [
      {
        type: "input",
        name: "name",
        message: "Name (its folder, for example write-skew):",
        validate: complaint(checkName),
      },
      { type: "input", name: "title", message: "Title:", validate: complaint(checkTitle) },
      {
        type: "checkbox",
        name: "engines",
        message: "Engines:",
        choices: engines.map(({ name, title }) => ({ name: title, value: name })),
        validate: complaint((chosen: readonly unknown[]) => {
          if (chosen.length === 0) throw enginesEmpty(engines.map(({ name }) => name));
        }),
      },
    ],
    actions: [
      async (answers) => {
        const { name, title, engines: chosen } = answers as Answers;
        const files = await createExercise({ ...options, name, title, engines: chosen });
        return `${files.length} files in projects/${name}. Next: pnpm install && pnpm kata verify ${name}`;
      },
    ],
  });
}

interface Answers {
  readonly name: string;
  readonly title: string;
  readonly engines: readonly string[];
}

/** A check that throws, as one that tells prompts `true` or what is wrong. */
function complaint<T>(check: (value: T) => void): (value: T) => true | string {
  return (value) => {
    try {
      check(value);
      return true;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
}
