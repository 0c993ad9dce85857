import type { NodePlopAPI } from "node-plop";
import { applyChanges } from "./changes.ts";
import { parts } from "./parts/index.ts";
import type { Answers, Question } from "./parts/part.ts";

export interface RegisterOptions {
  /** The root of the workspace that what is made goes into. */
  readonly into: string;
}

/** Adds every generator to a plop. */
export function register(plop: NodePlopAPI, { into }: RegisterOptions): void {
  for (const part of parts) {
    plop.setGenerator(part.name, {
      description: part.description,
      prompts: part.questions.map((question) => promptOf(question, into)),
      actions: [
        async (answers) => {
          const { changes, next, install } = await part.plan(into, answers as Answers);
          await applyChanges(into, changes);
          const steps = install ? ["pnpm install", ...next] : next;
          return [...changes.map(({ path }) => path), "", ...steps].join("\n");
        },
      ],
    });
  }
}

/** plop has no flags: it asks for what is optional as well. */
function promptOf({ name, message, many, required, check, choices }: Question, root: string) {
  const needed = (value: unknown) =>
    !required || (Array.isArray(value) ? value.length > 0 : Boolean(value));
  const common = {
    name,
    message: required ? message : `${message} (may be left away)`,
    validate: (value: unknown) => {
      if (!needed(value)) return "This can't be left away.";
      return typeof value === "string" && value !== "" && check ? complaint(check, value) : true;
    },
  };
  if (!choices) return { ...common, type: "input" as const };
  return {
    ...common,
    type: many ? ("checkbox" as const) : ("list" as const),
    // plop's own looks into a list of choices, which depends on what was answered before.
    bypass: (value: string) => (many ? value.split(",") : value),
    choices: async (answers: Answers) => [
      ...(required ? [] : [{ name: "(none)", value: "" }]),
      ...(await choices(root, answers)).map(({ value, label }) => ({ name: label, value })),
    ],
  };
}

/** A check that throws, as one that tells prompts `true` or what is wrong. */
function complaint(check: (value: string) => void, value: string): true | string {
  try {
    check(value);
    return true;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
