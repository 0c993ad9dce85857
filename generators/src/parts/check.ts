import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { checkUnknown, nothingToCopy, pathTaken } from "../errors.ts";
import { checkName, checkTitle } from "../names.ts";
import { stringLiteral } from "../render.ts";
import {
  type Authored,
  type AuthoredCheck,
  type AuthoredMutant,
  itsChecks,
  pathIn,
  readAuthored,
  whichKata,
} from "./authored.ts";
import { copyMutant } from "./mutant.ts";
import { type Part, said } from "./part.ts";

/**
 * A check begins as its neighbour, which the reference and the variants pass, with a mutant that begins
 * as one that the neighbour catches. So both are true from the first minute, whatever the contract is.
 */
export const check: Part = {
  name: "check",
  description: "a check, with a hint, and a mutant that fails it",
  questions: [
    whichKata,
    {
      name: "id",
      positional: true,
      required: true,
      message: "Its id (for example no-lost-update):",
      help: "lower-case words with dashes: what people type after --check",
      check: (value) => checkName(value, "check"),
    },
    {
      name: "title",
      value: "sentence",
      message: "What must hold, as a sentence in the present tense?",
      help: "a sentence in the present tense; default: made from the id",
      check: (value) => checkTitle(value, "check", 120),
    },
    {
      name: "like",
      value: "id",
      message: "Which check is most like it?",
      help: "the check that it begins as a copy of; default: the first one that a mutant fails",
      choices: itsChecks,
    },
    {
      name: "mutant",
      value: "name",
      message: "What is the wrong answer called that it catches?",
      help: "the name of the mutant that comes with it; default: against-<id>",
      check: (value) => checkName(value, "mutant"),
    },
  ],
  async plan(root, answers) {
    const kata = await readAuthored(root, said(answers, "kata"));
    const id = said(answers, "id");
    checkName(id, "check");
    const taken = kata.checks.find((each) => each.id === id);
    if (taken) throw pathTaken(pathIn(kata, taken.file));
    const mutant = said(answers, "mutant") || `against-${id}`;
    const model = modelOf(kata, said(answers, "like"));
    const caught = simplestAgainst(kata, model.id);
    if (!caught) throw nothingToCopy(kata.name, [model.id]);
    const title = said(answers, "title") || `${id.replaceAll("-", " ")}, as ${model.id} does`;
    checkTitle(title, "check", 120);
    const source = await readFile(join(kata.folder, model.file), "utf8");
    const file = pathIn(kata, "grading", `${numberAfter(kata)}-${id}.grade.ts`);
    const others = [...caught.must, ...caught.may];
    return {
      changes: [
        { path: file, content: adapted(source, { title, trap: mutant }) },
        ...(await copyMutant(kata, caught, { name: mutant, must: [id], may: others })),
      ],
      next: [
        `${file}: it does what ${model.id} does; make it do what its title says, and mend the hints`,
        `${pathIn(kata, "mutants", mutant)}/: it is wrong as ${caught.name} is; make it wrong in the new way`,
        `pnpm kata grade ${kata.name} --mutant ${mutant} --check ${id}`,
        `pnpm kata verify ${kata.name}`,
        `pnpm kata verify ${kata.name} --full   tells which other mutants it fails`,
      ],
    };
  },
};

/** @throws GeneratorError `CHECK_UNKNOWN`, `NOTHING_TO_COPY` */
function modelOf(kata: Authored, like: string): AuthoredCheck {
  const named = kata.checks.find(({ id }) => id === like);
  if (like && !named) {
    throw checkUnknown(
      like,
      kata.checks.map(({ id }) => id),
    );
  }
  const model = named ?? kata.checks.find(({ id }) => simplestAgainst(kata, id));
  if (!model) throw nothingToCopy(kata.name, []);
  return model;
}

/** Of those that a check must fail, the one that fails the fewest others. */
export function simplestAgainst(kata: Authored, check: string): AuthoredMutant | undefined {
  const size = ({ must, may }: AuthoredMutant) => must.length + may.length;
  return kata.mutants
    .filter(({ must }) => must.includes(check))
    .sort((a, b) => size(a) - size(b))
    .at(0);
}

function numberAfter({ checks }: Authored): string {
  return String(Math.max(0, ...checks.map(({ number }) => number)) + 1).padStart(2, "0");
}

const STRING = String.raw`(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|${"`"}(?:[^${"`"}\\]|\\.)*${"`"})`;

/** The first title of a file is the check's. One without traps has none of its own to name. */
function adapted(source: string, { title, trap }: { title: string; trap: string }): string {
  return source
    .replace(new RegExp(String.raw`(\n {2}title:)\s*${STRING},`), (_, key) =>
      formatted(key, stringLiteral(title)),
    )
    .replace(/\n {2}traps: \[[^\]]*\],/, () => `\n  traps: [${stringLiteral(trap)}],`);
}

/** As the formatter would have it: on a line of its own where it is too long. */
function formatted(key: string, text: string): string {
  const line = `${key} ${text},`;
  return line.trimStart().length + 2 > 100 ? `${key}\n    ${text},` : line;
}
