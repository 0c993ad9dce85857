import { defaultTemplates, planExercise } from "../create-exercise.ts";
import { availableEngines } from "../engines.ts";
import { checkName, checkTitle } from "../names.ts";
import { checkShape, SHAPES } from "../shapes.ts";
import { type Part, said, saidList } from "./part.ts";

export const exercise: Part = {
  name: "exercise",
  description: "an exercise in projects/, which grades and verifies from the first minute",
  questions: [
    {
      name: "name",
      positional: true,
      required: true,
      message: "Name (its folder, for example write-skew):",
      help: "lower-case words with dashes: the folder in projects/",
      check: (value) => checkName(value),
    },
    {
      name: "title",
      value: "text",
      message: "Title:",
      help: "for people; default: made from the name",
      check: (value) => checkTitle(value),
    },
    {
      name: "engines",
      value: "name",
      many: true,
      required: true,
      message: "Engines:",
      help: "what it runs on; pnpm kata engines status names them",
      choices: async () =>
        (await availableEngines(defaultTemplates)).map(({ name, title }) => ({
          value: name,
          label: title,
        })),
    },
    {
      name: "shape",
      message: "How the grader calls app nodes:",
      help: `how the grader calls app nodes: ${Object.keys(SHAPES).join(", ")}; default: library`,
      check: (value) => void checkShape(value),
      choices: async () => Object.entries(SHAPES).map(([value, label]) => ({ value, label })),
    },
    {
      name: "empty",
      flag: true,
      message: "With its example, or the frame only?",
      help: "the frame only: no example to replace, and no check yet",
      choices: async () => [{ value: "yes", label: "the frame only" }],
    },
  ],
  async plan(root, answers) {
    const name = said(answers, "name");
    checkName(name);
    const changes = await planExercise({
      name,
      title: said(answers, "title") || titleOf(name),
      engines: saidList(answers, "engines"),
      shape: checkShape(said(answers, "shape") || "library"),
      empty: said(answers, "empty") !== "",
      into: root,
    });
    return { changes, next: [`pnpm kata verify ${name}`], install: true };
  },
};

function titleOf(name: string): string {
  const words = name.replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
